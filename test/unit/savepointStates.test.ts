import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import type { Metadata } from "../../src/core/metadata/metadata";
import { inMemory, type RandomAccess } from "../../src/core/metadata/randomAccess";
import { referencedFiles } from "../../src/core/metadata/referencedFiles";
import { scanMetadata } from "../../src/core/metadata/scan";
import { savepointStates, type StateReading, type StatesOptions } from "../../src/core/metadata/states/savepointStates";
import { typeText } from "../../src/core/metadata/states/typeText";
import { StateTable } from "../../src/core/metadata/states/stateTable";
import type { OpenFile } from "../../src/core/ports";
import { ownSnapshotFolders } from "./metadataFiles";

const open: OpenFile = async (location) => {
  const file = location.replace(/^file:/, "");
  return existsSync(file) ? { ...inMemory(await fs.readFile(file)), close: () => Promise.resolve() } : undefined;
};

async function load(folder: string): Promise<{ input: RandomAccess; metadata: Metadata }> {
  const input = inMemory(await fs.readFile(path.join(folder, "_metadata")));
  const { metadata } = await scanMetadata(input);
  assert.ok(metadata);
  return { input, metadata };
}

async function readingsOf(folder: string, options: StatesOptions = {}, from = folder): Promise<StateReading[]> {
  const { input, metadata } = await load(folder);
  const readings: StateReading[] = [];
  for await (const reading of savepointStates(input, metadata, { folder: from, open }, options)) readings.push(reading);
  return readings;
}

const folders = ownSnapshotFolders();

test("the states of every snapshot of ours are read, and merged per operator", async () => {
  for (const { name, folder } of folders) {
    const table = new StateTable();
    const readings = await readingsOf(folder);
    for (const reading of readings) {
      assert.deepEqual(reading.problems, [], name);
      assert.ok(reading.readBytes > 0);
      table.add(reading);
    }
    const rows = new Set(readings.map(({ row }) => row));
    const names = [...rows].flatMap((row) => table.of(row).map((state) => `${state.name} ${state.kind}`));
    assert.ok(names.includes("recent LIST") && names.includes("blob MAP"), `${name}: ${names.join(", ")}`);
    assert.equal(table.isCut, false);
    for (const row of rows) for (const state of table.of(row)) assert.ok(state.subtasks >= 1 && Object.values(state.serializers).every((one) => typeText(one, "brief") !== ""));
  }
});

test("of long files only the header is read, so entries are not counted", async () => {
  const folder = folders.find(({ name }) => name === "2.3.0/canonical")?.folder ?? "";
  const all = await readingsOf(folder, { countUpToBytes: Infinity });
  const heads = await readingsOf(folder, { countUpToBytes: 0 });
  assert.deepEqual(heads.map(({ states }) => states), all.map(({ states }) => states));
  assert.ok(all.some(({ kind, entries }) => kind === "keyed" && entries !== null));
  assert.ok(heads.every(({ entries }) => entries === null));
  const sum = (readings: readonly StateReading[]): number => readings.reduce((total, { readBytes }) => total + readBytes, 0);
  assert.ok(sum(heads) < sum(all));
});

test("a limit of bytes ends the reading with its name, and a signal with its reason", async () => {
  const folder = folders[0]?.folder ?? "";
  const readings = await readingsOf(folder, { readBytes: 400 });
  assert.deepEqual(readings.at(-1)?.problems.map(({ code, facts }) => ({ code, facts })), [{ code: "limit", facts: { limit: "readBytes", value: 400 } }]);
  await assert.rejects(readingsOf(folder, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("files that are not there are problems of their readings, and the others are read", async () => {
  const folder = folders.find(({ name }) => name === "1.20.5/canonical")?.folder ?? "";
  const here = await readingsOf(folder);
  const elsewhere = await readingsOf(folder, {}, "/there/is/no/such/folder");
  assert.equal(elsewhere.length, here.length);
  const failed = elsewhere.filter(({ problems }) => problems.length > 0);
  assert.equal(failed.length, here.filter(({ path: file }) => file !== null).length);
  assert.ok(failed.length > 0 && failed.every(({ problems }) => problems[0]?.code === "file-missing"));
});

test("every file that a snapshot of ours refers to is listed once, and lies where it says", async () => {
  for (const { name, folder } of folders) {
    const { input, metadata } = await load(folder);
    const { files, complete } = await referencedFiles(input, metadata, folder);
    assert.equal(complete, true);
    assert.equal(files.length, metadata.totals.distinctFiles, name);
    for (const { candidates, sizeBytes } of files) {
      const file = candidates.map((place) => place.replace(/^file:/, "")).find((place) => existsSync(place));
      assert.ok(file, name);
      assert.equal(BigInt((await fs.stat(file)).size), sizeBytes);
    }
    if (files.length > 1) assert.deepEqual(await referencedFiles(input, metadata, folder, { maxFiles: 1 }).then(({ files: { length }, complete: all }) => [length, all]), [1, false]);
  }
});
