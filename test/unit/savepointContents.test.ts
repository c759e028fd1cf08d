import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { openLocalFile } from "../../src/clients/localFiles";
import { openLocalMetadata } from "../../src/clients/localMetadata";
import { InspectionService, type OperatorState } from "../../src/services/inspection";
import { SavepointContents, unexplained } from "../../src/services/savepointContents";
import { operatorIdOf } from "../../src/core/metadata/operatorId";
import { keptLog, savepointRecord } from "./ledgerSamples";

const fixture = (version: string, kind = "canonical"): string => `file:${path.resolve("test", "fixtures", "metadata", version, kind)}`;
const log = keptLog();
const taken = (id: string, place: string | null, job: string, endedAtMs: number, changes: object = {}): ReturnType<typeof savepointRecord> =>
  savepointRecord(id, { state: "completed", path: place, endedAtMs, job: { id, name: job }, ...changes });

test("the newest savepoint of each job that can be read from here tells its operators without uids, and is read once", async () => {
  const inspection = new InspectionService(openLocalMetadata, openLocalFile, log);
  const reads: string[] = [];
  const records = [
    taken("a", fixture("1.20.5"), "orders", 1_000),
    taken("b", fixture("1.15.4"), "orders", 2_000),
    taken("c", "s3://bucket/savepoint-1", "payments", 3_000),
    taken("d", fixture("2.0.2"), "forgotten", 4_000, { forgotten: true }),
    taken("e", null, "failed", 5_000, { state: "failed" }),
  ];
  const stateIn = (place: string, signal: AbortSignal): Promise<readonly OperatorState[] | undefined> => {
    reads.push(place);
    return inspection.stateIn(place, signal);
  };
  const operators = new SavepointContents({ all: () => Promise.resolve(records) }, { stateIn });
  const found = await operators.list();
  assert.deepEqual(found.map(({ record }) => record.id), ["b"]);
  assert.ok(found[0] && found[0].operators.length > 0 && found[0].operators.every(({ uid, id }) => uid === null && /^[0-9a-f]{32}$/.test(id)));
  await operators.list();
  assert.deepEqual(reads.filter((place) => place === fixture("1.15.4")), [fixture("1.15.4")]);
});

test("the savepoints that hold an operator's state are told with its size, the newest first", async () => {
  const inspection = new InspectionService(openLocalMetadata, openLocalFile, log);
  const records = [taken("a", fixture("1.20.5"), "orders", 1_000), taken("b", fixture("1.20.5", "native"), "orders", 2_000), taken("c", fixture("2.3.0"), "other", 3_000)];
  const operators = new SavepointContents({ all: () => Promise.resolve(records) }, inspection);
  const [largest] = (await inspection.stateIn(fixture("1.20.5"), AbortSignal.timeout(5_000))) ?? [];
  assert.ok(largest);
  const holders = (await operators.holding(largest.id)).filter(({ record }) => record.id !== "c");
  assert.deepEqual(holders.map(({ record }) => record.id), ["b", "a"]);
  assert.equal(holders[1]?.sizeBytes, largest.sizeBytes);
  assert.deepEqual(await operators.holding("f".repeat(32)), []);
});

test("an operator whose id is that of a uid in the code is not offered", () => {
  const record = taken("a", "file:/s/1", "orders", 1);
  const operator = (id: string): OperatorState => ({ id, name: null, uid: null, sizeBytes: 1 });
  const found = [{ record, operators: [operator(operatorIdOf("dedupe")), operator("0".repeat(32))] }, { record, operators: [operator(operatorIdOf("join"))] }];
  assert.deepEqual(unexplained(found, ["dedupe", "join"]), [{ record, operators: [operator("0".repeat(32))] }]);
});
