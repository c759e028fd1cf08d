import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSubtasks } from "../../src/core/metadata/decode";
import type { Problem } from "../../src/core/metadata/problem";
import { problemText } from "../../src/core/metadata/problemText";
import { inMemory, type RandomAccess } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import { largeMetadata } from "./metadataSamples";
import { ByteWriter, writeMetadata } from "./metadataWriter";

/** The example of 118 bytes: one operator, two subtasks without state. */
function tiny(version = 7): ByteWriter {
  const out = new ByteWriter().i32(0x4960672d).i32(version).i64(5).i32(0).i32(1);
  out.utf("n").utf("u").raw(Buffer.from("000102030405060708090a0b0c0d0e0f", "hex")).i32(4).i32(128).u8(0).i32(2);
  for (let s = 0; s < 2; s++) {
    out.i32(s).i32(0).i32(0).u8(0).u8(0).i32(0).i32(0);
    if (s === 0) out.u8(0);
    else out.u8(1).i64(42);
  }
  return out.raw(Buffer.from("aced000570", "hex"));
}

test("the smallest file of the newest version is read, with the checkpoint that a reused state comes from", async () => {
  const input = inMemory(tiny().finish());
  const { metadata, problems } = await scanMetadata(input);
  assert.deepEqual(problems, []);
  assert.equal(input.sizeBytes, 118);
  assert.equal(metadata?.checkpointId, 5n);
  assert.equal(metadata.properties, null);
  assert.equal(metadata.operators.get(0).name, "n");
  assert.equal(metadata.operators.uidMatches(0), false);
  const { subtasks } = await decodeSubtasks(input, metadata, { row: 0 });
  assert.deepEqual(subtasks.map(({ referenceCheckpointId }) => referenceCheckpointId), [null, 42n]);
});

test("every version and layout is read to its end, with the sizes that its writer counted", async () => {
  for (const [version, layout] of [[1], [2], [3], [3, "1.11"], [3, "1.14"], [4], [5], [6], [7]] as const) {
    let named = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const { bytes, facts } = writeMetadata({ version, seed, ...(layout === undefined ? {} : { layout }) });
      const input = inMemory(bytes);
      const { metadata, problems } = await scanMetadata(input);
      assert.deepEqual(problems, [], `version ${version} ${layout} seed ${seed}`);
      assert.ok(metadata?.whole);
      if (metadata.layout === layout) named++;
      assert.equal(metadata.totals.subtasks, facts.subtasks);
      if (layout === undefined || metadata.layout === layout) {
        assert.equal(metadata.totals.stateBytes, facts.stateBytes);
        assert.equal(metadata.totals.distinctFiles, facts.files.size);
        assert.equal(metadata.totals.distinctFileBytes, BigInt([...facts.files.values()].reduce((sum, size) => sum + size, 0)));
      }
      for (const operator of metadata.operators) {
        const page = await decodeSubtasks(input, metadata, { row: operator.row });
        assert.deepEqual(page.problems, []);
        assert.equal(page.subtasks.reduce((sum, subtask) => sum + subtask.sizeBytes, operator.sizes.coordinator), operator.sizeBytes);
        assert.deepEqual(page.subtasks.map(({ sizeBytes }) => Number(sizeBytes)), [...metadata.operators.subtaskSizes(operator.row)]);
      }
    }
    if (layout !== undefined) assert.ok(named > 20, `${named} of 30 files needed the layout ${layout}`);
  }
});

test("a window of any size finds the same", async () => {
  for (const version of [1, 2, 3, 5, 6, 7]) {
    const { bytes } = writeMetadata({ version, seed: 7, operators: 4 });
    const whole = await scanMetadata(inMemory(bytes));
    for (const windowBytes of [1, 16, 17, 63, 64, 1000]) {
      const { metadata, problems } = await scanMetadata(inMemory(bytes), { limits: { windowBytes } });
      assert.deepEqual(problems, whole.problems);
      assert.deepEqual(metadata?.totals, whole.metadata?.totals);
      assert.deepEqual([...(metadata?.operators ?? [])], [...(whole.metadata?.operators ?? [])]);
    }
  }
});

test("state inside the metadata is passed over without being read when it is longer than the window", async () => {
  const bytes = largeMetadata("inline", 300_000);
  let read = 0;
  const input: RandomAccess = { sizeBytes: bytes.length, read: (offset, length) => { read += length; return Promise.resolve(bytes.subarray(offset, offset + length)); } };
  const { metadata } = await scanMetadata(input, { limits: { windowBytes: 512 } });
  assert.ok(metadata?.whole);
  assert.ok(read < bytes.length / 4, `${read} of ${bytes.length} bytes`);
});

test("every problem is a sentence", async () => {
  const out = new ByteWriter().i32(0x4960672d).i32(6).i64(5).i32(0).i32(1000);
  const { problems } = await scanMetadata(inMemory(out.finish()));
  assert.deepEqual(problems.map(problemText), ["A count of 1,000 can't be right with 0 bytes left."]);
  const cut = await scanMetadata(inMemory(tiny().finish().subarray(0, 70)));
  assert.deepEqual(cut.problems.map(problemText), ["The file ends here, 1 byte short of this field's end."]);
  assert.deepEqual((await scanMetadata(inMemory(new Uint8Array(0)))).problems.map(problemText), ["This is no Flink metadata: the file is empty."]);
});

test("a file that is no metadata says what it looks like", async () => {
  const hint = async (...bytes: number[]): Promise<unknown> => {
    const { metadata, problems } = await scanMetadata(inMemory(Uint8Array.from(bytes)));
    assert.equal(metadata, undefined);
    const [problem] = problems as Problem<"not-metadata">[];
    assert.equal(problem?.code, "not-metadata");
    return problem.facts;
  };
  assert.deepEqual(await hint(), { start: "", hint: "empty" });
  assert.deepEqual(await hint(0x49, 0x60), { start: "4960", hint: "short" });
  assert.deepEqual(await hint(0x2d, 0x67, 0x60, 0x49, 0, 0, 0, 1), { start: "2d67604900000001", hint: "swapped" });
  assert.deepEqual(await hint(0xac, 0xed, 0, 5, 0, 0, 0, 1), { start: "aced000500000001", hint: "java" });
  assert.deepEqual(await hint(0x50, 0x4b, 3, 4, 0, 0, 0, 1), { start: "504b030400000001", hint: "zip" });
  assert.deepEqual(await hint(0x1f, 0x8b, 8, 4, 0, 0, 0, 1), { start: "1f8b080400000001", hint: "gzip" });
  assert.deepEqual(await hint(1, 2, 3, 4, 5, 6, 7, 8), { start: "0102030405060708", hint: "none" });
});

test("an unknown version is named and no layout is guessed", async () => {
  for (const version of [0, 8, -1, 0x7fffffff]) {
    const { metadata, problems } = await scanMetadata(inMemory(tiny(version).finish()));
    assert.equal(metadata, undefined);
    assert.deepEqual(problems, [{ code: "version-unknown", severity: "error", offset: 4, path: "version", facts: { version } }]);
  }
});

test("a damaged tail still shows the head, and the error its place", async () => {
  const bytes = Buffer.from(largeMetadata("handles", 600_000));
  const whole = (await scanMetadata(inMemory(bytes))).metadata;
  const { metadata, problems } = await scanMetadata(inMemory(bytes.subarray(0, 500_000)));
  assert.ok(whole && metadata && !metadata.whole);
  const [problem] = problems;
  assert.equal(problem?.code, "truncated");
  assert.match(problem.path, /^operators\[2\]\.subtasks\[\d+\]\.managedKeyedState\.sharedState\[\d+\]\.\w+$/);
  assert.ok(problem.offset < 500_000 && problem.offset > 499_800);
  assert.equal(metadata.operators.count, 3);
  assert.deepEqual(metadata.operators.get(1), whole.operators.get(1));
  assert.equal(metadata.operators.get(2).whole, false);
  assert.equal(metadata.totals.operators, whole.totals.operators);
  const last = await decodeSubtasks(inMemory(bytes.subarray(0, 500_000)), metadata, { row: 2 });
  assert.deepEqual(last.problems, []);
  assert.equal(last.subtasks.length, metadata.operators.get(2).subtaskCount - 1);
});

test("an unknown tag deep inside is told with its path", async () => {
  const out = new ByteWriter().i32(0x4960672d).i32(6).i64(5).i32(0).i32(1).utf("n").utf("u").raw(Buffer.alloc(16)).i32(4).i32(128).u8(0).i32(1);
  out.i32(0).i32(0).i32(0).u8(14).i32(0).i32(4).i64(1).i32(1).u8(12).i32(0).i32(1).i64(7);
  const at = out.length;
  const { problems } = await scanMetadata(inMemory(out.u8(99).raw(Buffer.alloc(40)).finish()));
  assert.deepEqual(problems, [{ code: "tag-unknown", severity: "error", offset: at, path: "operators[0].subtasks[0].managedKeyedState.materialized[0].handle.delegate.tag", facts: { tag: 99 } }]);
});

test("counts beyond what is left are refused before anything is made for them", async () => {
  for (const count of [0x7fffffff, -2, 1000]) {
    const out = new ByteWriter().i32(0x4960672d).i32(6).i64(5).i32(count).raw(Buffer.alloc(100));
    const { problems } = await scanMetadata(inMemory(out.finish()));
    assert.deepEqual(problems.map(({ code, offset, path }) => ({ code, offset, path })), [{ code: "count-impossible", offset: 16, path: "masterStates.count" }]);
  }
});

test("handles nested beyond the limit end with a problem and no overflow", async () => {
  for (const layers of [60, 70, 60_000]) {
    const out = new ByteWriter().i32(0x4960672d).i32(3).i64(5).i32(0).i32(1).raw(Buffer.alloc(16)).i32(1).i32(128).u8(0).i32(1).i32(0).i32(0).i32(0);
    for (let i = 0; i < layers; i++) out.u8(8).i32(0).i32(1).i64(0).i32(1);
    const { problems } = await scanMetadata(inMemory(out.u8(0).finish()));
    assert.equal(problems.at(-1)?.code, layers > 64 ? "limit" : "truncated", `${layers} layers of changelogs`);
    const streams = new ByteWriter().i32(0x4960672d).i32(3).i64(5).i32(0).i32(1).raw(Buffer.alloc(16)).i32(1).i32(128).u8(0).i32(1).i32(0).i32(0).i32(0).u8(3).i32(0).i32(0);
    for (let i = 0; i < layers; i++) streams.u8(3).i32(0).i32(0);
    assert.equal((await scanMetadata(inMemory(streams.u8(16).finish()))).problems.at(-1)?.code, layers > 64 ? "limit" : "truncated", `${layers} layers of streams`);
  }
});

test("what Flink accepts but never writes is a warning with its place", async () => {
  const out = new ByteWriter().i32(0x4960672d).i32(3).i64(-5).i32(0).i32(2);
  for (let i = 0; i < 2; i++) {
    out.raw(Buffer.alloc(16, 7)).i32(i === 0 ? 2 : 40_000).i32(i === 0 ? 128 : 3).u8(0).i32(i === 0 ? 4 : -2);
    if (i > 0) break;
    for (const index of [0, 0, 5, 1]) {
      out.i32(index).i32(0).i32(0);
      if (index === 1) out.u8(3).i32(120).i32(20).raw(Buffer.alloc(160)).u8(6).utf("../elsewhere").i64(-1);
      else out.u8(0);
      out.u8(0).i32(0).i32(0);
    }
  }
  const { metadata, problems } = await scanMetadata(inMemory(out.raw(Buffer.alloc(3)).finish()));
  assert.ok(metadata?.whole);
  assert.equal(metadata.trailingBytes, 3);
  assert.equal(metadata.totals.unknownSizes, 1);
  assert.deepEqual(problems.map(({ code, path, severity }) => `${severity} ${code} ${path}`), [
    "warning value-invalid checkpointId",
    "warning subtask-repeated operators[0].subtasks[1].index",
    "warning subtask-out-of-range operators[0].subtasks[2].index",
    "warning key-groups-out-of-range operators[0].subtasks[3].managedKeyedState.keyGroupRange",
    "warning path-unsafe operators[0].subtasks[3].managedKeyedState.delegate.path",
    "warning operator-repeated operators[1].id",
    "warning parallelism-invalid operators[1].parallelism",
    "warning value-invalid operators[1].subtasks.count",
    "warning trailing-bytes ",
  ]);
});

test("warnings about elements of one list stay where a window ends within it", async () => {
  const out = new ByteWriter().i32(0x4960672d).i32(3).i64(1).i32(0).i32(1).raw(Buffer.alloc(16, 7)).i32(1).i32(128).u8(0).i32(1).i32(0).i32(0).i32(0);
  out.u8(5).i64(1).utf("backend").i32(0).i32(1).u8(1).utf("meta").i32(0).i32(5);
  for (let i = 0; i < 5; i++) out.utf(`00000${i}.sst`).u8(6).utf(`../${i}`).i64(1);
  const bytes = out.i32(0).u8(0).i32(0).i32(0).finish();
  for (const windowBytes of [1, 16, 30, 64, 100, 1000]) {
    const { metadata, problems, problemCount } = await scanMetadata(inMemory(bytes), { limits: { windowBytes, problems: 4 } });
    assert.ok(metadata?.whole);
    assert.equal(problemCount, 5, `${windowBytes}`);
    assert.deepEqual(problems.map(({ path }) => path), [0, 1, 2, 3].map((i) => `operators[0].subtasks[0].managedKeyedState.sharedState[${i}].path`));
  }
});

test("nothing is kept of the bytes of a window, which the next is read into", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { bytes } = writeMetadata({ version: (seed % 7) + 1 as 1, seed });
    const lending: RandomAccess = {
      sizeBytes: bytes.length,
      read(offset, length, _signal, room) {
        assert.ok(room !== undefined && room.length >= length);
        room.fill(0xff).set(bytes.subarray(offset, offset + length));
        return Promise.resolve(room.subarray(0, length));
      },
    };
    const options = { limits: { windowBytes: 100 } };
    const [one, other] = [await scanMetadata(lending, options), await scanMetadata(inMemory(bytes), options)];
    assert.deepEqual({ ...one.metadata, operators: [...(one.metadata?.operators ?? [])] }, { ...other.metadata, operators: [...(other.metadata?.operators ?? [])] });
    assert.deepEqual(one.problems, other.problems);
  }
});

test("sums that leave 64 bits are told, and wrap around as Flink's do; what Flink does not sum up stays exact", async () => {
  const most = 2n ** 63n - 1n;
  const file = (...operators: readonly (readonly bigint[])[]): RandomAccess => {
    const out = new ByteWriter().i32(0x4960672d).i32(3).i64(1).i32(0).i32(operators.length);
    operators.forEach((sizes, at) => {
      out.raw(Buffer.alloc(16, at + 1)).i32(sizes.length).i32(128).u8(0).i32(sizes.length);
      sizes.forEach((size, subtask) => out.i32(subtask).i32(0).i32(0).u8(3).i32(0).i32(1).i64(0).u8(2).i64(size).utf(`s3://a/${at}-${subtask}`).u8(0).i32(0).i32(0));
    });
    return inMemory(out.finish());
  };
  const told = async (input: RandomAccess): Promise<readonly [bigint | undefined, bigint | undefined, ...string[]]> => {
    const { metadata, problems } = await scanMetadata(input);
    return [metadata?.totals.stateBytes, metadata?.totals.distinctFileBytes, ...problems.map(({ code, path, severity }) => `${severity} ${code} ${path}`)];
  };
  assert.deepEqual(await told(file([most], [0n])), [most, most]);
  assert.deepEqual(await told(file([most - 1n, 1n])), [most, most]);
  assert.deepEqual(await told(file([1n], [most, 1n])), [-(2n ** 63n) + 1n, most + 2n, "warning sizes-wrapped operators[1]"]);
  assert.deepEqual(await told(file([most], [1n])), [-(2n ** 63n), most + 1n, "warning sizes-wrapped "]);
});

test("sizes beyond 2^53 are not rounded", async () => {
  const out = new ByteWriter().i32(0x4960672d).i32(3).i64(9_007_199_254_740_993n).i32(0).i32(1).raw(Buffer.alloc(16)).i32(1).i32(128).u8(0).i32(1);
  out.i32(0).i32(0).i32(0).u8(3).i32(0).i32(1).i64(9_007_199_254_740_995n).u8(2).i64(9_007_199_254_740_997n).utf("s3://a/b").u8(3).i32(0).i32(0).u8(2).i64(1).utf("s3://a/c").i32(0).i32(0);
  const input = inMemory(out.finish());
  const { metadata, problems } = await scanMetadata(input);
  assert.deepEqual(problems, []);
  assert.equal(metadata?.checkpointId, 9_007_199_254_740_993n);
  assert.equal(metadata.totals.stateBytes, 9_007_199_254_740_998n);
  assert.equal(metadata.totals.distinctFileBytes, 9_007_199_254_740_998n);
  const { subtasks } = await decodeSubtasks(input, metadata, { row: 0 });
  assert.equal(subtasks[0]?.sizeBytes, 9_007_199_254_740_998n);
});

test("every limit ends the reading with its name", async () => {
  const { bytes } = writeMetadata({ version: 6, seed: 11 });
  const limited = async (limits: object): Promise<unknown> => (await scanMetadata(inMemory(bytes), { limits })).problems.at(-1)?.facts;
  assert.deepEqual(await limited({ operators: 2 }), { limit: "operators", value: 2 });
  assert.deepEqual(await limited({ subtasks: 2 }), { limit: "subtasks", value: 2 });
  assert.deepEqual(await limited({ distinctFiles: 2 }), { limit: "distinctFiles", value: 2 });
  assert.deepEqual(await limited({ propertiesBytes: 3 }), { limit: "propertiesBytes", value: 3 });
});

test("a signal stops between two windows", async () => {
  const bytes = largeMetadata("handles", 300_000);
  const stop = new AbortController();
  let reads = 0;
  const input: RandomAccess = { sizeBytes: bytes.length, read: (offset, length) => { if (++reads === 3) stop.abort(); return Promise.resolve(bytes.subarray(offset, offset + length)); } };
  await assert.rejects(scanMetadata(input, { limits: { windowBytes: 4096 }, signal: stop.signal }), { name: "AbortError" });
  assert.equal(reads, 3);
});

test("an error of reading is thrown as it is", async () => {
  const input: RandomAccess = { sizeBytes: 100, read: () => Promise.reject(new Error("gone")) };
  await assert.rejects(scanMetadata(input), { message: "gone" });
});

test("subtasks that changed since they were scanned are a problem, not nonsense", async () => {
  const bytes = largeMetadata("handles", 300_000);
  const { metadata } = await scanMetadata(inMemory(bytes));
  assert.ok(metadata);
  const { problems } = await decodeSubtasks(inMemory(Buffer.alloc(bytes.length, 1)), metadata, { row: 0 });
  assert.equal(problems.length, 1);
  assert.equal(problems[0]?.code, "changed");
});
