import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { decodeSubtasks, type SubtaskResult } from "../../src/core/metadata/decode";
import type { KeyedHandle, OperatorHandle, StreamHandle } from "../../src/core/metadata/handles";
import { inMemory, type RandomAccess } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import type { Serializer, StateDescription } from "../../src/core/metadata/states/serializer";
import { type ChangelogStates, readChangelogFile, readChanges, readIncrementalStates, readKeyedStates, readOperatorStates, readRawKeyedStates } from "../../src/core/metadata/states/stateFile";
import { ownSnapshotFolders, snapshotFolders } from "./metadataFiles";

interface ExpectedSerializer {
  readonly snapshot?: string;
  readonly serializer?: string | ExpectedSerializer;
  readonly version?: number;
  readonly outerVersion?: number;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly nested?: readonly ExpectedSerializer[];
  readonly legacyAdapter?: boolean;
  readonly opaque?: boolean;
  readonly bodyLength?: number;
}

interface ExpectedState {
  readonly id?: number;
  readonly name: string;
  readonly type: string;
  readonly options: Readonly<Record<string, string>>;
  readonly serializers: Readonly<Record<string, ExpectedSerializer>>;
  readonly ttl: boolean;
}

interface Expected {
  readonly path: string;
  readonly kind?: "keyed" | "operator" | "rawTimers" | "changelog";
  readonly operatorId: string;
  readonly subtask: number;
  readonly role: "managedKeyedState" | "rawKeyedState" | "managedOperatorState";
  readonly version?: number | null;
  readonly compressed?: boolean;
  readonly states?: readonly ExpectedState[];
  readonly keySerializer?: ExpectedSerializer;
  readonly headerEnd?: number;
  readonly dataFormat?: string;
  readonly entries?: Readonly<Record<string, { total: number; perKeyGroup: Readonly<Record<string, number>> }>>;
  readonly stoppedAt?: readonly { state: string; why: string; keyGroups: number }[];
  readonly partitions?: Readonly<Record<string, { partitions: number }>>;
  readonly services?: unknown;
  readonly operations?: unknown;
  readonly note?: string;
}

for (const { name, folder } of snapshotFolders()) {
  if (!existsSync(path.join(folder, "expected-states.json"))) continue;
  test(`the state files of ${name} hold what is known to be in them`, async () => {
    const { states: expected } = JSON.parse(await fs.readFile(path.join(folder, "expected-states.json"), "utf8")) as { states: Expected[] };
    const left = [...expected];
    for await (const found of statesOf(folder)) {
      const at = left.findIndex((one) => one.operatorId === found.operatorId && one.subtask === found.subtask && one.role === found.role);
      const one = at < 0 ? undefined : left.splice(at, 1)[0];
      assert.ok(one, `${found.operatorId} ${found.subtask} ${found.role} is expected`);
      await found.check(one);
    }
    assert.deepEqual(left, []);
  });
}

interface Found {
  readonly operatorId: string;
  readonly subtask: number;
  readonly role: Expected["role"];
  check(expected: Expected): Promise<void>;
}

async function* statesOf(folder: string): AsyncGenerator<Found> {
  const file = await fs.readFile(path.join(folder, "_metadata"));
  const { metadata } = await scanMetadata(inMemory(file));
  assert.ok(metadata);
  for (const operator of metadata.operators) {
    const { subtasks } = await decodeSubtasks(inMemory(file), metadata, { row: operator.row });
    for (const subtask of subtasks) {
      const place = { operatorId: operator.id, subtask: subtask.index };
      for (const handle of subtask.managedOperator) {
        if (handle !== null && handle.delegate.type !== "emptySegment") yield { ...place, role: "managedOperatorState", check: (expected) => checkOperator(file, folder, handle, expected) };
      }
      for (const handle of flat(subtask.managedKeyed)) yield { ...place, role: "managedKeyedState", check: (expected) => checkKeyed(file, folder, handle, expected) };
      const raw = subtask.rawKeyed;
      if (raw?.type === "keyGroups") yield { ...place, role: "rawKeyedState", check: (expected) => checkRaw(file, folder, raw, expected) };
    }
  }
}

/** The parts of a changelog one by one. */
function flat(handle: KeyedHandle | null): KeyedHandle[] {
  if (handle === null) return [];
  return handle.type === "changelog" ? [...handle.materialized, ...handle.nonMaterialized].flatMap(flat) : [handle];
}

async function open(file: Buffer, folder: string, handle: StreamHandle): Promise<RandomAccess> {
  switch (handle.type) {
    case "bytes":
      return inMemory(file.subarray(handle.dataOffset, handle.dataOffset + Number(handle.sizeBytes)));
    case "segment": {
      const bytes = await fs.readFile(path.join(folder, path.basename(handle.path)));
      return inMemory(bytes.subarray(Number(handle.startOffset), Number(handle.startOffset + handle.sizeBytes)));
    }
    case "file":
    case "relativeFile":
      return inMemory(await fs.readFile(path.join(folder, path.basename(handle.path))));
    case "emptySegment":
    case "keyGroups":
      return inMemory(new Uint8Array(0));
  }
}

async function checkKeyed(file: Buffer, folder: string, handle: KeyedHandle, expected: Expected): Promise<void> {
  if (handle.type === "changelogBytes") {
    assert.equal(expected.kind, "changelog");
    const { states, operations, problems } = readChanges(handle.changes.map(({ dataOffset, lengthBytes }) => ({ bytes: file.subarray(dataOffset, dataOffset + lengthBytes), offset: dataOffset })));
    assert.deepEqual(problems, []);
    assert.deepEqual(plainOperations([operations]), expected.operations);
    return checkStates(states, expected.states ?? []);
  }
  if (handle.type === "changelogFiles") {
    assert.equal(expected.kind, "changelog");
    const states: StateDescription[] = [];
    const all: ChangelogStates["operations"][] = [];
    for (const part of handle.parts) {
      const { states: more, operations, problems } = await readChangelogFile(await open(file, folder, part.handle), part.offset);
      assert.deepEqual(problems, []);
      states.push(...more);
      all.push(operations);
    }
    assert.deepEqual(plainOperations(all), expected.operations);
    return checkStates(states, expected.states ?? []);
  }
  if (handle.type === "keyGroups") {
    const { header, format, entries, stoppedAt, problems } = await readKeyedStates(await open(file, folder, handle.delegate), handle.keyGroups, { entries: true });
    assert.deepEqual(problems, []);
    checkHeader(header, expected);
    if (expected.entries === undefined) return;
    assert.equal(format, expected.dataFormat);
    const stopped = expected.stoppedAt ?? [];
    for (const [name, { total, perKeyGroup }] of entries) {
      const known: { readonly total: number } | undefined = expected.entries[name];
      // Where the other reader stops at a serializer, this one stops at the first value that it can't pass over.
      if (stopped.length > 0 && known?.total !== total) assert.ok(total >= (known?.total ?? 0), name);
      else if (total > 0 || known !== undefined) assert.deepEqual({ total, keyGroups: perKeyGroup.size, perKeyGroup: Object.fromEntries(perKeyGroup) }, known, name);
    }
    for (const [name, { total }] of Object.entries(expected.entries)) assert.ok((entries.get(name)?.total ?? 0) >= total, name);
    // In compressed files it goes on with the next state.
    for (const { state, className } of stoppedAt) assert.ok(stopped.some((one) => one.why === className && (one.state === state || expected.compressed === true)), `${state} ${className}`);
    return;
  }
  assert.equal(handle.type, "incremental");
  const { header, problems } = await readIncrementalStates(await open(file, folder, handle.metaHandle));
  assert.deepEqual(problems, []);
  checkHeader(header, expected);
}

function plainOperations(all: readonly ChangelogStates["operations"][]): Record<string, Record<string, number>> {
  const sums: Record<string, Record<string, number>> = {};
  for (const operations of all) {
    for (const [id, counts] of operations) for (const [operation, count] of counts) (sums[`#${id}`] ??= {})[operation] = (sums[`#${id}`]?.[operation] ?? 0) + count;
  }
  return sums;
}

async function checkOperator(file: Buffer, folder: string, handle: OperatorHandle, expected: Expected): Promise<void> {
  const { header, partitions, problems } = await readOperatorStates(await open(file, folder, handle.delegate), handle);
  assert.deepEqual(problems, []);
  checkHeader(header, expected);
  for (const [name, count] of Object.entries(expected.partitions ?? {})) assert.equal(partitions.get(name), count.partitions);
}

async function checkRaw(file: Buffer, folder: string, handle: KeyedHandle & { readonly type: "keyGroups" }, expected: Expected): Promise<void> {
  const { timers, stoppedAt } = await readRawKeyedStates(await open(file, folder, handle.delegate), handle.keyGroups);
  assert.ok(timers);
  if (expected.note !== undefined) {
    // Without a single timer there is nothing to stop at.
    const isEmpty = [...timers.services.values()].every(({ eventTime, processingTime }) => eventTime + processingTime === 0);
    return assert.ok(isEmpty || expected.note === `raw keyed state, not read: ${stoppedAt}`);
  }
  assert.deepEqual({ version: timers.version, services: Object.fromEntries(timers.services), stoppedAt }, { version: expected.version, services: expected.services, stoppedAt: null });
}

function checkHeader(header: Awaited<ReturnType<typeof readIncrementalStates>>["header"], expected: Expected): void {
  assert.ok(header);
  assert.equal(header.version, expected.version);
  assert.equal(header.compressed, expected.compressed);
  assert.equal(header.endOffset, expected.headerEnd);
  if (expected.keySerializer !== undefined) {
    assert.ok(header.keySerializer);
    checkSerializer(header.keySerializer, expected.keySerializer, "key");
  }
  checkStates(header.states, expected.states ?? []);
}

function checkStates(states: readonly StateDescription[], expected: readonly ExpectedState[]): void {
  assert.deepEqual(states.map(({ name, type, options }) => ({ name, type, options })), expected.map(({ name, type, options }) => ({ name, type, options })));
  states.forEach((state, i) => {
    const one = expected[i];
    assert.ok(one);
    if (one.id !== undefined) assert.equal(state.id, one.id);
    assert.deepEqual(Object.keys(state.serializers).sort(), Object.keys(one.serializers).sort());
    for (const [key, serializer] of Object.entries(one.serializers)) {
      const mine = state.serializers[key];
      assert.ok(mine);
      checkSerializer(mine, serializer, `${state.name} ${key}`);
    }
    assert.equal(state.ttl, one.ttl, `${state.name}: TTL`);
  });
}

function checkSerializer(mine: Serializer, expected: ExpectedSerializer, where: string): void {
  const name = expected.snapshot ?? expected.serializer;
  assert.equal(mine.className, name, where);
  if (expected.snapshot !== undefined) assert.equal(mine.version, expected.version, where);
  if (expected.outerVersion !== undefined) assert.equal(mine.outerVersion, expected.outerVersion, where);
  if (expected.bodyLength !== undefined) assert.equal(mine.opaqueBytes, expected.bodyLength, where);
  const old = expected.legacyAdapter === true || expected.snapshot === undefined;
  for (const [key, value] of Object.entries(expected.params ?? {})) {
    // Scala's enums have their numbers too.
    const wanted = key === "constants" && Array.isArray(value) ? value.map((one: unknown) => (Array.isArray(one) ? (one as unknown[])[0] : one)) : value;
    if (key === "nonRegisteredSubclasses") assert.deepEqual(mine.subclasses?.other.map(({ className }) => className), value, where);
    else if (!old || mine.facts[key] !== undefined) assert.deepEqual(mine.facts[key], wanted, `${where} ${key}`);
  }
  if (old && expected.nested === undefined) return;
  if (expected.legacyAdapter === true) return;
  assert.equal(mine.nested.length, (expected.nested ?? []).length, `${where}: serializers in ${name}`);
  expected.nested?.forEach((one, i) => {
    const nested = mine.nested[i];
    assert.ok(nested);
    checkSerializer(nested, one, where);
  });
}

test("in the project's own snapshots every header ends where its data begins", async () => {
  let headers = 0;
  for (const { name, folder } of ownSnapshotFolders()) {
    const file = await fs.readFile(path.join(folder, "_metadata"));
    const { metadata } = await scanMetadata(inMemory(file));
    assert.ok(metadata);
    for (const { row } of metadata.operators) {
      const { subtasks }: SubtaskResult = await decodeSubtasks(inMemory(file), metadata, { row });
      for (const { managedKeyed, managedOperator } of subtasks) {
        if (managedKeyed?.type === "keyGroups") {
          const { header, problems } = await readKeyedStates(await open(file, folder, managedKeyed.delegate), managedKeyed.keyGroups, { entries: true });
          assert.deepEqual(problems, [], name);
          const first: bigint | undefined = managedKeyed.keyGroups.offsets.filter((offset) => offset > 0n).sort()[0];
          if (first !== undefined) assert.equal(header?.endOffset, Number(first), name);
          headers++;
        }
        for (const handle of managedOperator) {
          if (handle === null) continue;
          const { header } = await readOperatorStates(await open(file, folder, handle.delegate), handle);
          const first: bigint | undefined = handle.states.flatMap(({ offsets }) => [...offsets]).sort((a, b) => Number(a - b))[0];
          if (first !== undefined) assert.equal(header?.endOffset, Number(first), name);
          headers++;
        }
      }
    }
  }
  assert.ok(headers > 50);
});
