import { performance } from "node:perf_hooks";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { RandomAccess } from "../../src/core/metadata/randomAccess";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { decodeSubtasks } from "../../src/core/metadata/decode";
import { scanMetadata } from "../../src/core/metadata/scan";
import { largeMetadata } from "./metadataSamples";

const sizesMb = (process.env["BENCH_MB"] ?? "1,10,100").split(",").map(Number);

for (const shape of ["handles", "inline"] as const) {
  for (const mb of sizesMb) {
    const bytes = largeMetadata(shape, mb * 1e6);
    const rounds = Math.max(3, Math.min(30, Math.round(1500 / mb)));
    const scanMs = await median(rounds, () => scanMetadata(inMemory(bytes)));
    const copyMs = await median(rounds, () => Promise.resolve(Buffer.from(bytes)));
    const { metadata } = await scanMetadata(inMemory(bytes));
    if (metadata?.whole !== true) throw new Error("The file was not read to its end.");
    const decodeMs = await median(3, async () => {
      for (let row = 0; row < metadata.operators.count; row++) await decodeSubtasks(inMemory(bytes), metadata, { row });
    });
    const folder = await fs.mkdtemp(path.join(tmpdir(), "metadata-bench-"));
    const file = path.join(folder, "_metadata");
    await fs.writeFile(file, bytes);
    const handle = await fs.open(file);
    const input: RandomAccess = { sizeBytes: bytes.length, read: async (offset, length) => (await handle.read(Buffer.allocUnsafe(length), 0, length, offset)).buffer };
    const fileMs = await median(Math.min(rounds, 5), () => scanMetadata(input));
    await handle.close();
    await fs.rm(folder, { recursive: true });
    const rate = (ms: number): string => `${(bytes.length / 1e3 / ms).toFixed(0)} MB/s`;
    const kept = metadata.operators.keptBytes / bytes.length;
    console.log(`${shape} ${(bytes.length / 1e6).toFixed(1)} MB: scan in memory ${scanMs.toFixed(1)} ms ${rate(scanMs)}, from a file ${rate(fileMs)}, all handles decoded ${rate(decodeMs)}, memory copy ${rate(copyMs)}, kept ${kept.toFixed(3)} bytes per byte, ${metadata.operators.count} operators`);
  }
}

async function median(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}
