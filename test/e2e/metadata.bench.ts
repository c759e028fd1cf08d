import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import { totalmem, tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openLocalMetadata } from "../../src/clients/localMetadata";
import { scanMetadata } from "../../src/core/metadata/scan";
import { savepointStates } from "../../src/core/metadata/states/savepointStates";
import { rootFolder, startFlink } from "../rig/flink";
import { backendReleases, classPath, java } from "../rig/metadataPeer";

/**
 * Reading `_metadata`, beside Flink's own `Checkpoints.loadCheckpointMetadata` on the same files in the same run. The files are made by Flink's own
 * serializer, one at a time in a temporary folder, and removed at once; the largest needs 1 GB of disk and 11 GB of memory for the JVM (which
 * keeps the handles as objects), and is left out with a word where the machine has less. `BENCH_MB=1,10` measures
 * only these sizes, `BENCH_SHAPE=inline` only this shape. Fails when a goal is missed.
 */
const [, newest] = backendReleases;
const root = await rootFolder();
const scanProcess = path.join(root, "dist", "test", "e2e", "metadataScan.process.mjs");
const program = path.join(root, "dist", "flink-savepoints.mjs");
const classes = await classPath(newest, "bench");
const node = (...args: readonly string[]): Promise<{ stdout: string }> => promisify(execFile)(process.execPath, args, { maxBuffer: 256 << 20 });
const inspects = (await node(program, "help").catch(() => ({ stdout: "" }))).stdout.includes("  inspect ");

interface Flinks { readonly ms: number; readonly peakBytes: number; readonly keptBytes: number; readonly operators: number }
interface Ours { readonly memoryMs: number; readonly fileMs: number; readonly operators: number }
interface Memory { readonly peakBytes: number; readonly keptBytes: number }

const sizesMb = (process.env["BENCH_MB"] ?? "1,10,100,1000").split(",").map(Number);
const shapes = (["handles", "inline"] as const).filter((shape) => (process.env["BENCH_SHAPE"] ?? shape) === shape);
const lines: string[] = [];
const missed: string[] = [];
for (const shape of shapes) {
  for (const mb of sizesMb) {
    if (mb >= 1000 && totalmem() < 14e9) {
      console.log(`${shape} ${mb} MB: not measured, since Flink's reader needs 11 GB of memory for it`);
      continue;
    }
    const folder = await fs.mkdtemp(path.join(tmpdir(), "metadata-bench-"));
    try {
      lines.push(await measure(shape, mb, path.join(folder, "_metadata")));
      console.log(lines.at(-1));
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  }
}
const states = await statesOfLargeSavepoint();
console.log(`\n${header()}\n${lines.join("\n")}\n\n${states}`);
if (missed.length > 0) {
  console.log(`Missed: ${missed.join("; ")}`);
  process.exitCode = 1;
}

async function measure(shape: "handles" | "inline", mb: number, file: string): Promise<string> {
  await java([classes, "bench.LargeMetadata", file, shape, String(mb * 1e6), String(mb < 10 ? 8 : mb < 100 ? 64 : 256)], "1g");
  const { size } = await fs.stat(file);
  const loads = String(mb >= 1000 ? 2 : mb >= 100 ? 5 : 15);
  const warmUpMs = String(mb >= 1000 ? 1 : 4000);
  const heap = mb >= 1000 ? "11g" : "2g";
  const ours = JSON.parse((await node(scanProcess, file, loads, warmUpMs)).stdout) as Ours;
  const flinks = JSON.parse((await java([classes, "bench.FlinkLoader", file, loads, warmUpMs], heap)).stdout) as Flinks;
  if (ours.operators !== flinks.operators) throw new Error(`We find ${ours.operators} operators, Flink ${flinks.operators}.`);
  const memory = JSON.parse((await node("--expose-gc", scanProcess, file, "memory")).stdout) as Memory;
  const cold = { ours: Infinity, flinks: Infinity };
  // In turn, so that what else the machine does hits both.
  for (let i = 0; i < (mb >= 1000 ? 1 : 3); i++) {
    cold.ours = Math.min(cold.ours, await timed(() => (inspects ? node(program, "inspect", file) : node(scanProcess, file))));
    cold.flinks = Math.min(cold.flinks, await timed(() => java([classes, "bench.FlinkLoader", file], heap)));
  }
  const goal = (what: string, isMet: boolean): void => {
    if (!isMet) missed.push(`${shape} ${mb} MB: ${what}`);
  };
  goal("faster than Flink", flinks.ms / ours.memoryMs >= (shape === "handles" ? 3 : 1));
  // What Node's heap takes to run at all is more than twice the smallest file.
  goal("at most twice the file at the peak", mb < 10 || memory.peakBytes <= 2 * size);
  goal("at most the file kept", memory.keptBytes <= size);
  goal("four times faster as a cold process", mb !== 100 || cold.flinks / cold.ours >= 4);
  const rate = (ms: number): string => (size / 1e3 / ms).toFixed(0);
  const perByte = (bytes: number): string => (bytes / size).toFixed(2);
  const cells = [
    shape, (size / 1e6).toFixed(0), rate(ours.memoryMs), rate(flinks.ms), `${(flinks.ms / ours.memoryMs).toFixed(1)}×`, rate(ours.fileMs),
    perByte(memory.peakBytes), perByte(flinks.peakBytes), perByte(memory.keptBytes), perByte(flinks.keptBytes),
    cold.ours.toFixed(0), cold.flinks.toFixed(0), `${(cold.flinks / cold.ours).toFixed(1)}×`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function header(): string {
  const cells = ["file full of", "MB", "MB/s", "Flink's", "faster", "MB/s from disk", "peak bytes per byte", "Flink's", "kept bytes per byte", "Flink's", `cold ms (${inspects ? "inspect" : "scan"})`, "cold JVM ms", "faster"];
  return `| ${cells.join(" | ")} |\n|${cells.map((_, i) => (i === 0 ? "---" : "---:")).join("|")}|`;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** What is read of a real savepoint with some 40 MB of state, to tell the states in it. */
async function statesOfLargeSavepoint(): Promise<string> {
  const flink = await startFlink(newest, { extraConfig: { "taskmanager.memory.task.heap.size": "768m" } });
  try {
    const id = await flink.runTestJob({ parallelism: 2, keys: 100, "state-bytes": 100_000, "sleep-us": 500 });
    await flink.waitUntilRunning(id);
    await new Promise((resolve) => setTimeout(resolve, 6000));
    const folder = fileURLToPath((await flink.savepoint(id)).replace(/^file:\/*/, "file:///"));
    const input = await openLocalMetadata(folder);
    const { metadata } = input === undefined ? { metadata: undefined } : await scanMetadata(input);
    if (input === undefined || metadata === undefined) throw new Error(folder);
    let stateBytes = 0;
    let readBytes = 0;
    let reads = 0;
    const count: typeof openLocalMetadata = async (location) => {
      const file = await openLocalMetadata(location);
      if (file === undefined) return undefined;
      stateBytes += file.sizeBytes;
      return { ...file, read: async (offset, length, signal) => {
        reads++;
        readBytes += length;
        return file.read(offset, length, signal);
      } };
    };
    const names = new Set<string>();
    const start = performance.now();
    for await (const reading of savepointStates(input, metadata, { folder, open: count })) for (const state of reading.states) names.add(state.name);
    const ms = performance.now() - start;
    await input.close();
    return `States of a savepoint with ${(stateBytes / 1e6).toFixed(1)} MB in its state files: ${(readBytes / 1e3).toFixed(0)} kB read in ${reads} reads, ${names.size} states, ${ms.toFixed(0)} ms.`;
  } finally {
    await flink.stop();
  }
}
