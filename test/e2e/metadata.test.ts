import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { decodeSubtasks } from "../../src/core/metadata/decode";
import type { Subtask } from "../../src/core/metadata/handles";
import type { Metadata } from "../../src/core/metadata/metadata";
import { operatorIdOf } from "../../src/core/metadata/operatorId";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import { backendReleases, readWithFlink, type BackendRelease } from "../rig/metadataPeer";
import { countEntries, ourFacts, withoutInventions, type Plain } from "../unit/flinkFacts";
import { ownSnapshotFolders, stateSnapshotFolders } from "../unit/metadataFiles";
import { keys, withSnapshots, type TakenSnapshot } from "./support/stateSnapshots";

const [last1, newest] = backendReleases;

/** Kinds of handles that must occur in what a release writes, lest nothing was compared. */
const everyRelease = ["bytes", "file", "relativeFile", "partitionable/4", "savepointKeyGroups/7", "incremental/11", "keyGroups/12", "changelog/14", "segment", "emptySegment", "segmentPartitionable/17"];
const kindsOf: Readonly<Record<BackendRelease, readonly string[]>> = {
  "1.20.5": [...everyRelease, "changelogBytes/9", "inputChannel", "outputChannel"],
  "2.3.0": [...everyRelease, "changelogFiles/13", "mergedInputChannel", "mergedOutputChannel"],
};

for (const version of backendReleases) {
  test(`Flink ${version} on every state backend`, (t) => withSnapshots(version, async (snapshots) => {
    const folders = snapshots.map(({ folder }) => folder);
    await compare(t, version, folders, snapshots.map(({ name }) => `${name}: what we read is what Flink ${version} reads`));
    if (version === last1) await compare(t, newest, folders, snapshots.map(({ name }) => `${name}: what we read is what Flink ${newest} reads, too`));
    await t.test("all kinds of handles and of snapshots occur", () => allKinds(snapshots, kindsOf[version]));
    await t.test("operators that have finished, in whole or in part, are told", async () => {
      // Now and then the fast subtask has read everything before the other one came up, and both have finished.
      let partly = 0;
      for (const snapshot of snapshots) if (await finished(snapshot)) partly++;
      assert.ok(partly > 0);
    });
    await t.test("incremental checkpoints in a row share files, which count once", () => shared(snapshots.filter(({ job, kind }) => job === "rocksdb" && kind === "checkpoint")));
    await t.test("each key has its entries, in the canonical format and in the heap's own", async () => {
      for (const snapshot of snapshots.filter(({ job, kind }) => job === "heap" || (job === "rocksdb" && kind === "canonical savepoint"))) await entries(snapshot);
    });
  }));
}

test(`what we read in the snapshots of the repository is what Flink ${newest} reads`, async (t) => {
  const own = [...ownSnapshotFolders(), ...stateSnapshotFolders()];
  await compare(t, newest, own.map(({ folder }) => folder), own.map(({ name }) => name));
});

async function compare(t: TestContext, version: BackendRelease, folders: readonly string[], names: readonly string[]): Promise<void> {
  const flinks = await readWithFlink(version, folders) as Plain[];
  assert.equal(flinks.length, folders.length);
  for (const [i, folder] of folders.entries()) {
    await t.test(names[i] ?? folder, async () => {
      const ours = await ourFacts(folder);
      assert.deepEqual(ours, withoutInventions(ours, flinks[i] ?? null));
    });
  }
}

async function allKinds(snapshots: readonly TakenSnapshot[], wanted: readonly string[]): Promise<void> {
  const found = new Set<string>();
  for (const { name, kind, folder } of snapshots) {
    const { metadata } = await read(folder);
    assert.equal(metadata.kind, kind, name);
    for (const handle of metadata.handleCounts.keys()) found.add(handle);
  }
  assert.deepEqual([...wanted].filter((kind) => !found.has(kind)), []);
}

/** Resolves to whether one operator has finished in part. */
async function finished({ name, folder }: TakenSnapshot): Promise<boolean> {
  const { metadata, subtasks } = await read(folder);
  const row = (uid: string): number => [...metadata.operators].findIndex(({ id }) => id === operatorIdOf(uid));
  for (const uid of ["finished-src", "through"]) assert.equal(metadata.operators.get(row(uid)).fullyFinished, true, `${name}: ${uid}`);
  const partly = !metadata.operators.get(row("stays")).fullyFinished;
  // Which of the two is the fast one differs.
  if (partly) assert.deepEqual((await subtasks(row("stays"))).map(({ finished }) => finished).sort(), [false, true], name);
  assert.equal(metadata.operators.get(row("src")).hasCoordinatorState, true, name);
  const ends = (await subtasks(row("ends"))).flatMap(({ managedOperator }) => managedOperator.flatMap((handle) => handle?.states ?? []));
  assert.deepEqual([...new Set(ends.map((state) => `${state.name} ${state.mode}`))].sort(), ["rules BROADCAST", "split SPLIT_DISTRIBUTE", "union UNION"], name);
  return partly;
}

async function shared(checkpoints: readonly TakenSnapshot[]): Promise<void> {
  assert.equal(checkpoints.length, 3);
  const files: Set<string>[] = [];
  for (const { folder } of checkpoints) {
    const { metadata, subtasks } = await read(folder);
    const paths: string[] = [];
    for (const { row } of metadata.operators) {
      for (const { managedKeyed } of await subtasks(row)) {
        if (managedKeyed?.type === "incremental") for (const { handle } of managedKeyed.shared) if (handle.type === "file") paths.push(handle.path);
      }
    }
    files.push(new Set(paths));
    assert.ok(metadata.totals.distinctFileBytes <= metadata.totals.stateBytes);
  }
  const [first, second] = files;
  assert.ok(first !== undefined && second !== undefined && [...second].some((file) => first.has(file)), "no file is in two checkpoints");
}

async function entries({ name, kind, folder }: TakenSnapshot): Promise<void> {
  const { counts, stopped } = await countEntries(folder);
  const canonical = kind === "canonical savepoint";
  const pairs = canonical ? 3 * keys : keys;
  // The heap's own format has no lengths, so counting ends at what only Kryo or a subclass's own serializer can read; states come in any order.
  const wanted = { long: keys, "string-ttl": keys, list: keys, "list-ttl": keys, map: pairs, "map-ttl": pairs, sum: keys, mean: keys, pojo: keys, avro: keys, kryo: keys, "_timer_state/event_user-timers": keys, "_timer_state/processing_user-timers": keys };
  if (canonical) assert.deepEqual(stopped, [], name);
  else assert.ok(stopped.every((className) => /Kryo|Express/.test(className)), `${name}: ${stopped.join(" ")}`);
  for (const [state, count] of Object.entries(wanted)) {
    const found = counts.get(state);
    if (canonical || (found !== undefined && stopped.length === 0)) assert.equal(found, count, `${name}: ${state}`);
    else assert.ok(found === undefined || found <= count, `${name}: ${state} ${found}`);
  }
}

async function read(folder: string): Promise<{ metadata: Metadata; subtasks: (row: number) => Promise<readonly Subtask[]> }> {
  const input = inMemory(await fs.readFile(path.join(folder, "_metadata")));
  const { metadata } = await scanMetadata(input);
  if (metadata === undefined) throw new Error(folder);
  return { metadata, subtasks: async (row) => (await decodeSubtasks(input, metadata, { row })).subtasks };
}
