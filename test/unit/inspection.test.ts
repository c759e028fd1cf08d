import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { openLocalFile } from "../../src/clients/localFiles";
import { openLocalMetadata } from "../../src/clients/localMetadata";
import { operatorIdOf } from "../../src/core/metadata/operatorId";
import { stateList } from "../../src/core/rowText";
import { InspectionService } from "../../src/services/inspection";
import { quietLog } from "../rig/flink";

const inspection = new InspectionService(openLocalMetadata, openLocalFile, quietLog);
const signal = new AbortController().signal;
const fixture = path.resolve("test", "fixtures", "metadata", "2.3.0", "canonical");

test("C-23: the state of a savepoint on this machine is listed by operator, the largest first, with the uid that the job gave", async () => {
  const state = await inspection.stateIn(`file:${fixture}`, signal);
  assert.ok(state !== undefined && state.length > 1);
  assert.deepEqual(state, [...state].sort((a, b) => b.sizeBytes - a.sizeBytes));
  for (const { id, uid } of state) if (uid !== null) assert.equal(id, operatorIdOf(uid));
  assert.ok(state.some(({ uid }) => uid !== null));
  assert.deepEqual(await inspection.stateIn(path.join(fixture, "_metadata"), signal), state, "the folder and its _metadata are the same");
});

test("the states of operators are named from their files, without timers; what is not asked for, or not there, is absent", async () => {
  const state = (await inspection.stateIn(`file:${fixture}`, signal)) ?? assert.fail();
  const keyed = operatorIdOf("keyed");
  const names = await inspection.stateNames(`file:${fixture}`, new Set(state.map(({ id }) => id)), signal);
  assert.deepEqual(names.get(keyed), ["blob", "count", "recent"]);
  assert.deepEqual([...(await inspection.stateNames(path.join(fixture, "_metadata"), new Set([keyed]), signal)).keys()], [keyed]);
  assert.equal((await inspection.stateNames(`file:${fixture}`, new Set([keyed]), AbortSignal.abort())).size, 0);
  assert.equal((await inspection.stateNames("s3://bucket/savepoint-1", new Set([keyed]), signal)).size, 0);
  assert.match(stateList([{ id: keyed, name: null, uid: null, sizeBytes: 5_700, states: ["blob", "count", "recent", "last", "first"] }]), /^• id [0-9a-f]{32} · 5\.6 kB · states blob, count, recent and 2 more$/);
});

test("state and the names of the largest operators' states come from one reading, which ends when it is cancelled and waits for names only so long", async () => {
  let reads = 0;
  const counting = new InspectionService((location) => {
    reads++;
    return openLocalMetadata(location);
  }, openLocalFile, quietLog);
  const state = (await inspection.stateIn(`file:${fixture}`, signal)) ?? assert.fail();
  const names = await inspection.stateNames(`file:${fixture}`, new Set(state.map(({ id }) => id)), signal);
  const named = await counting.namedStateIn(`file:${fixture}`, 2, 60_000, signal);
  assert.deepEqual(named, state.map((operator, at) => ({ ...operator, states: at < 2 ? names.get(operator.id) : undefined })));
  assert.equal(reads, 1);
  assert.deepEqual((await inspection.namedStateIn(`file:${fixture}`, 2, 0, signal))?.map(({ id }) => id), state.map(({ id }) => id), "without names where these take too long");
  assert.equal(await inspection.namedStateIn("s3://bucket/savepoint-1", 2, 0, signal), undefined);
  await assert.rejects(inspection.namedStateIn(`file:${fixture}`, 2, 60_000, AbortSignal.abort()), { name: "AbortError" });
});

test("what can't be read whole has no list: another storage, nothing there, a file cut short, no metadata at all", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "inspection-"));
  try {
    await mkdir(path.join(folder, "savepoint-ab12cd-0123456789ab"));
    await writeFile(path.join(folder, "savepoint-ab12cd-0123456789ab", "_metadata"), Buffer.from("4960672d0000000600000000", "hex"));
    await writeFile(path.join(folder, "text"), "hello");
    for (const location of ["s3://bucket/savepoint-ab12cd-0123456789ab", `file:${folder}/gone`, `file:${folder}/savepoint-ab12cd-0123456789ab`, `file:${folder}/text`, `file:${folder}`]) assert.equal(await inspection.stateIn(location, signal), undefined, location);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a list of state names twelve operators and sums up the rest; names of strangers stay on their line", () => {
  const many = Array.from({ length: 14 }, (_, index) => ({ id: String(index).padStart(32, "0"), name: index === 0 ? "Window\n(sum)" : null, uid: index === 0 ? "totals" : null, sizeBytes: 1024 }));
  const lines = stateList(many).split("\n");
  assert.equal(lines.length, 13);
  assert.equal(lines[0], "• Window (sum) · uid “totals” · 1.0 kB");
  assert.equal(lines[1], "• id 00000000000000000000000000000001 · 1.0 kB");
  assert.equal(lines[12], "• 2 more operators · 2.0 kB");
});
