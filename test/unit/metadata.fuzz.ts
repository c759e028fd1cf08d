// Mutated files by the hundred thousand, spread over threads: in every run of the tests, and by hand with npm run fuzz -- COUNT [SEED].
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { ownSnapshotFolders } from "./metadataFiles";
import { cutEverywhere, fuzz, fuzzStates } from "./metadataFuzz";

/** What a thread does: inputs from a seed on, or cuts of a file. */
type Share = { readonly what: "metadata" | "states"; readonly count: number; readonly seed: number } | { readonly what: "cuts"; readonly file: string };

interface Found {
  readonly good: number;
  readonly codes: ReadonlyMap<string, number>;
}

const count = Number(process.argv[2] ?? process.env["FUZZ_COUNT"] ?? "100000");
const seed = Number(process.argv[3] ?? process.env["FUZZ_SEED"] ?? String(Date.now() % 1_000_000_000));
const threads = Math.max(2, Math.min(8, availableParallelism()));

if (isMainThread) {
  assert.ok(Number.isSafeInteger(count) && count > 0 && Number.isSafeInteger(seed), "npm run fuzz -- COUNT [SEED]");

  test(`${count} mutated files from seed ${seed} end in a result or a typed problem, within a second each`, async () => {
    const { good, codes } = await shared("metadata", count);
    console.log(`${count} files from seed ${seed}: ${good} read whole, ${textOf(codes)}`);
    if (count >= 10_000) assert.ok(codes.size >= 6 && good > 0);
  });

  test("mutated state files, a tenth of that number, end in a result or a typed problem", async () => {
    const states = Math.ceil(count / 10);
    const { good, codes } = await shared("states", states);
    console.log(`${states} state files from seed ${seed}: ${good} without a problem, ${textOf(codes)}`);
    if (states >= 1000) assert.ok(codes.size >= 4);
  });

  test("ten snapshots of a real Flink, cut at any byte, are never taken for whole ones", async () => {
    const files = ownSnapshotFolders().map(({ folder }) => path.join(folder, "_metadata")).slice(0, 10);
    assert.equal(files.length, 10);
    const queue = [...files];
    await Promise.all(Array.from({ length: threads }, async () => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) await inThread({ what: "cuts", file });
    }));
  });
} else {
  const share = workerData as Share;
  const run = async (): Promise<Found> => {
    if (share.what === "cuts") {
      await cutEverywhere(await fs.readFile(share.file));
      return { good: 0, codes: new Map() };
    }
    if (share.what === "states") {
      const { clean, codes } = await fuzzStates(share.count, share.seed);
      return { good: clean, codes };
    }
    const { whole, codes } = await fuzz(share.count, share.seed);
    return { good: whole, codes };
  };
  parentPort?.postMessage(await run());
}

/** Every thread takes its part of the seeds, so that an input is known by its number alone. */
async function shared(what: "metadata" | "states", all: number): Promise<Found> {
  const each = Math.ceil(all / threads);
  const shares = Array.from({ length: threads }, (_, i) => ({ what, seed: seed + i * each, count: Math.min(each, all - i * each) })).filter((share) => share.count > 0);
  const found = await Promise.all(shares.map(inThread));
  const codes = new Map<string, number>();
  for (const one of found) for (const [code, number] of one.codes) codes.set(code, (codes.get(code) ?? 0) + number);
  return { good: found.reduce((sum, { good }) => sum + good, 0), codes };
}

function inThread(share: Share): Promise<Found> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`A thread ended with ${code}.`)));
  });
}

function textOf(codes: ReadonlyMap<string, number>): string {
  return [...codes].sort(([, a], [, b]) => b - a).map(([code, number]) => `${number} ${code}`).join(", ");
}
