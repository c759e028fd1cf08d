import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { decodeCoordinator, decodeSubtasks } from "../../src/core/metadata/decode";
import type { StreamHandle } from "../../src/core/metadata/handles";
import type { Metadata } from "../../src/core/metadata/metadata";
import type { Problem } from "../../src/core/metadata/problem";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { scanMetadata, type ScanResult } from "../../src/core/metadata/scan";
import { readIncrementalStates, readKeyedStates, readOperatorStates, readRawKeyedStates } from "../../src/core/metadata/states/stateFile";
import { snapshotFolders } from "./metadataFiles";
import { Random, writeMetadata } from "./metadataWriter";

/** Files to start from: synthetic ones of every version and layout, and real ones of at most 20 kB. */
async function fuzzSeeds(): Promise<Buffer[]> {
  const seeds: Buffer[] = [];
  for (const [version, layout] of [[1], [2], [3], [3, "1.11"], [3, "1.14"], [4], [5], [6], [7]] as const) {
    for (const seed of [1, 2]) seeds.push(writeMetadata({ version, seed, operators: 3, ...(layout === undefined ? {} : { layout }) }).bytes);
  }
  for (const { folder } of snapshotFolders()) {
    const bytes = await fs.readFile(path.join(folder, "_metadata"));
    if (bytes.length <= 20_000) seeds.push(bytes);
  }
  return seeds;
}

/** A file with one to four changes: bits, bytes, numbers of note, cuts, repeated and moved pieces, lengths one off. */
function mutate(bytes: Buffer, random: Random): Buffer {
  let out = Buffer.from(bytes);
  for (let left = 1 + random.int(4); left > 0; left--) {
    const at = random.int(Math.max(1, out.length));
    switch (random.int(9)) {
      case 0: if (out.length > 0) out[at] = (out[at] ?? 0) ^ (1 << random.int(8)); break;
      case 1: if (out.length > 0) out[at] = random.int(256); break;
      case 2: if (at + 4 <= out.length) out.writeInt32BE(random.pick([-1, 0, 1, 2, 127, 0x7fffffff, -0x80000000, 0xffff, 32_768, out.length]), at); break;
      case 3: if (at + 4 <= out.length) out.writeInt32BE((out.readInt32BE(at) + random.pick([-1, 1, 8, 256])) | 0, at); break;
      case 4: if (at + 8 <= out.length) out.writeBigInt64BE(random.pick([-1n, 0n, 1n << 53n, (1n << 63n) - 1n, -(1n << 63n)]), at); break;
      case 5: out = out.subarray(0, at); break;
      case 6: out = Buffer.concat([out.subarray(0, at), out.subarray(Math.min(out.length, at + 1 + random.int(20)))]); break;
      case 7: out = Buffer.concat([out.subarray(0, at), out.subarray(at, at + random.int(200)), out.subarray(at)]); break;
      // A tag, where one may stand.
      default: if (out.length > 0) out[at] = random.int(19);
    }
    if (out.length > 200_000) out = out.subarray(0, 200_000);
  }
  return out;
}

/** Reads a file in windows of some size and everything in it; fails when anything but a result or a typed problem comes out, or when it takes longer than a second, twice, on a busy machine. */
async function readEverything(bytes: Buffer, windowBytes = 1 << 20): Promise<ScanResult> {
  const start = performance.now();
  const result = await checked(bytes, windowBytes);
  if (performance.now() - start < 1000) return result;
  const again = performance.now();
  await checked(bytes, windowBytes);
  const tookMs = performance.now() - again;
  assert.ok(tookMs < 1000, `${bytes.length} bytes took ${tookMs} ms`);
  return result;
}

async function checked(bytes: Buffer, windowBytes: number): Promise<ScanResult> {
  const input = inMemory(bytes);
  const result = await scanMetadata(input, { limits: { windowBytes } });
  const { metadata, problems } = result;
  assert.ok(metadata?.whole === true || problems.some(({ severity }) => severity === "error"), "A file that was not read to its end has an error.");
  for (const problem of problems) {
    assert.ok(problem.offset >= 0 && problem.offset <= bytes.length, `${problem.code} at ${problem.offset} of ${bytes.length}`);
    assert.equal(typeof problem.path, "string");
  }
  if (metadata !== undefined) {
    let sum = 0n;
    for (const operator of metadata.operators) {
      sum += operator.sizeBytes;
      const page = await decodeSubtasks(input, metadata, { row: operator.row });
      assert.deepEqual(page.problems, [], "What was scanned can be decoded.");
      if (operator.whole) {
        assert.equal(page.subtasks.length, operator.subtaskCount);
        const decoded = page.subtasks.reduce((total, subtask) => total + subtask.sizeBytes, operator.sizes.coordinator);
        assert.equal(BigInt.asIntN(64, decoded), operator.sizeBytes, "The scan and the handles count the same.");
        assert.deepEqual((await decodeCoordinator(input, metadata, operator.row)).problems, []);
      }
    }
    assert.equal(BigInt.asIntN(64, sum), metadata.totals.stateBytes);
  }
  return result;
}

/** State streams to start from, each with what its handle says of it: of the project's own snapshots, and small ones of others. */
async function stateSeeds(): Promise<{ readonly bytes: Buffer; readonly read: (bytes: Buffer) => Promise<readonly Problem[]> }[]> {
  const seeds: { bytes: Buffer; read: (bytes: Buffer) => Promise<readonly Problem[]> }[] = [];
  for (const { folder } of snapshotFolders()) {
    const file = await fs.readFile(path.join(folder, "_metadata"));
    const { metadata } = await scanMetadata(inMemory(file));
    const bytesOf = async (handle: StreamHandle): Promise<Buffer | undefined> => {
      if (handle.type === "bytes") return file.subarray(handle.dataOffset, handle.dataOffset + Number(handle.sizeBytes));
      if (handle.type !== "relativeFile" || handle.sizeBytes > 20_000n) return undefined;
      return fs.readFile(path.join(folder, handle.path));
    };
    for (const operator of metadata?.operators ?? []) {
      const [subtask] = (await decodeSubtasks(inMemory(file), metadata as Metadata, { row: operator.row, limit: 1 })).subtasks;
      const keyed = subtask?.managedKeyed;
      if (keyed?.type === "keyGroups") {
        const bytes = await bytesOf(keyed.delegate);
        if (bytes !== undefined) seeds.push({ bytes, read: async (mutated) => (await readKeyedStates(inMemory(mutated), keyed.keyGroups, { entries: true })).problems });
      } else if (keyed?.type === "incremental") {
        const bytes = await bytesOf(keyed.metaHandle);
        if (bytes !== undefined) seeds.push({ bytes, read: async (mutated) => (await readIncrementalStates(inMemory(mutated))).problems });
      }
      const raw = subtask?.rawKeyed;
      if (raw?.type === "keyGroups") {
        const bytes = await bytesOf(raw.delegate);
        if (bytes !== undefined) seeds.push({ bytes, read: (mutated) => readRawKeyedStates(inMemory(mutated), raw.keyGroups).then(() => []) });
      }
      for (const handle of subtask?.managedOperator ?? []) {
        const bytes = handle === null ? undefined : await bytesOf(handle.delegate);
        if (handle !== null && bytes !== undefined) seeds.push({ bytes, read: async (mutated) => (await readOperatorStates(inMemory(mutated), handle)).problems });
      }
    }
  }
  return seeds;
}

/** As `fuzz`, for state files. */
export async function fuzzStates(count: number, seed: number): Promise<{ readonly clean: number; readonly codes: ReadonlyMap<string, number>; readonly slowestMs: number }> {
  const seeds = await stateSeeds();
  const codes = new Map<string, number>();
  let clean = 0;
  let slowestMs = 0;
  for (let i = 0; i < count; i++) {
    const random = new Random(seed + i);
    const { bytes, read } = random.pick(seeds);
    const mutated = mutate(bytes, random);
    const start = performance.now();
    try {
      const problems = await read(mutated);
      if (problems.length === 0) clean++;
      for (const { code } of problems) codes.set(code, (codes.get(code) ?? 0) + 1);
    } catch (error) {
      throw new Error(`Input ${seed + i}: ${mutated.subarray(0, 3000).toString("base64")}`, { cause: error });
    }
    slowestMs = Math.max(slowestMs, performance.now() - start);
  }
  assert.ok(slowestMs < 5000, `one took ${slowestMs} ms`);
  return { clean, codes, slowestMs };
}

/** Mutates and reads `count` files from a seed; a failure names the seed and leaves the file's bytes in base64. */
export async function fuzz(count: number, seed: number): Promise<{ readonly whole: number; readonly codes: ReadonlyMap<string, number> }> {
  const seeds = await fuzzSeeds();
  const codes = new Map<string, number>();
  let whole = 0;
  for (let i = 0; i < count; i++) {
    const random = new Random(seed + i);
    const bytes = mutate(random.pick(seeds), random);
    try {
      const { metadata, problems } = await readEverything(bytes, random.pick([64, 4096, 1 << 20]));
      if (metadata?.whole === true) whole++;
      else codes.set(problems.at(-1)?.code ?? "", (codes.get(problems.at(-1)?.code ?? "") ?? 0) + 1);
    } catch (error) {
      throw new Error(`Input ${seed + i}: ${bytes.subarray(0, 3000).toString("base64")}`, { cause: error });
    }
  }
  return { whole, codes };
}

/** Cuts a file at every byte; fails when what is left passes for a file. */
export async function cutEverywhere(bytes: Buffer): Promise<void> {
  for (let length = 0; length < bytes.length; length++) {
    const { metadata, problems } = await scanMetadata(inMemory(bytes.subarray(0, length)));
    if (metadata?.whole === true || problems.at(-1)?.severity !== "error") assert.fail(`The first ${length} of ${bytes.length} bytes of version ${bytes[7]} pass for a file.`);
  }
}
