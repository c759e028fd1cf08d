import { readFileSync } from "node:fs";
import { openLocalMetadata } from "../../src/clients/localMetadata";
import { inMemory, type RandomAccess } from "../../src/core/metadata/randomAccess";
import { scanMetadata, type ScanResult } from "../../src/core/metadata/scan";

/**
 * Our side of `metadata.bench.ts` in a process of its own: `FILE` scans once and says how many operators there are; `FILE LOADS WARM_UP_MS` scans
 * from memory and from the file and prints JSON; `FILE memory` (with --expose-gc) prints what one scan of the file takes at its peak and keeps.
 */
const [file = "", loads = "", warmUpMs = "0"] = process.argv.slice(2);

if (loads === "") console.log(`${(await fromFile()).metadata?.operators.count ?? 0} operators`);
else if (loads === "memory") console.log(JSON.stringify(await memory()));
else {
  const bytes = readFileSync(file);
  const memoryMs = await fastest(() => scanMetadata(inMemory(bytes)));
  const fileMs = await fastest(fromFile);
  const { metadata } = await scanMetadata(inMemory(bytes));
  if (metadata?.whole !== true) throw new Error("The file was not read to its end.");
  console.log(JSON.stringify({ memoryMs, fileMs, operators: metadata.operators.count }));
}

async function fromFile(): Promise<ScanResult> {
  const access = await openLocalMetadata(file);
  if (access === undefined) throw new Error(file);
  try {
    return await scanMetadata(access satisfies RandomAccess);
  } finally {
    await access.close();
  }
}

async function fastest(work: () => Promise<unknown>): Promise<number> {
  const until = processorMs() + Number(warmUpMs);
  do await work();
  while (processorMs() < until);
  let least = Infinity;
  for (let i = 0; i < Number(loads); i++) {
    const start = processorMs();
    await work();
    least = Math.min(least, processorMs() - start);
  }
  return least;
}

/** Processor time of all threads, garbage collection included; waiting for other work on the machine does not count. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function memory(): Promise<{ peakBytes: number; keptBytes: number }> {
  const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined);
  const held = (): number => {
    collect();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = held();
  const residentBefore = process.memoryUsage().rss;
  const kept = await fromFile();
  const peakBytes = process.resourceUsage().maxRSS * 1024 - residentBefore;
  const keptBytes = held() - before;
  return { peakBytes, keptBytes: kept.metadata === undefined ? -1 : keptBytes };
}
