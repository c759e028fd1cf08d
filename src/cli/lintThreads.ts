import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { LintCache } from "../clients/lintCache/lintCache";
import { startThread } from "../clients/workerThread";
import type { KnownFacts, LintFile, LintShareApi, SharedFile } from "../core/lint/shareProtocol";
import { connect } from "../core/rpc";

/** Fewer files are not worth another thread. */
const filesPerThread = 40;
/**
 * How much a function runs, in bytes of its code, before V8 spends time on making it faster; its own choice is a fifteenth of it. In a run of
 * seconds, of which each thread begins anew, a quarter of the time went into functions that then ran no longer.
 */
const optimizeAfterBytes = 1_000_000;
/** More threads would wait for each other. */
const threadLimit = 4;

/**
 * Up to so many bytes that are to be parsed, the parsers stay as V8 first compiles them. To make them faster takes as long as parsing 400 files, half
 * of it for the one function that reads Kotlin's words; from 1,000 files on it has paid.
 */
const quickParsersLimitBytes = 4_000_000;
/** Each implies the next when V8 starts, later it does not; these releases know all three, and others would complain. */
const quickParsers = { flags: ["--liftoff-only", "--no-wasm-dynamic-tiering", "--no-wasm-tier-up"], releases: /^1[123]\./ } as const;
/** How long a file of a language takes, by its size, against the others; what is known already takes a fraction. */
const effort: Readonly<Record<string, number>> = { java: 5, kt: 7, kts: 7, scala: 7, sc: 7, py: 4, pyi: 4 };
const effortOfKnown = 0.2;

/** What the threads read and found. */
export interface Linted {
  readonly files: readonly SharedFile[];
  /** Keeps it for the next run. */
  keep(): Promise<void>;
}

/**
 * Lints files in threads of their own, so that an interrupt counts at once, also within a large file. Resolves to what came of those that are
 * wanted, in no order. With a cache, what earlier runs left there is not done again. Rejects with the signal's reason, and with an error when a
 * thread ends early.
 */
export async function lintInThreads(files: readonly LintFile[], cache: LintCache | undefined, signal: AbortSignal): Promise<Linted> {
  const before = await cache?.findings(files, signal);
  if (before !== undefined) return { files: before, keep: async () => undefined };
  const known = await cache?.known() ?? new Map<string, KnownFacts>();
  signal.throwIfAborted();
  const count = Math.max(1, Math.min(threadLimit, availableParallelism(), Math.floor(files.length / filesPerThread)));
  const sizes = files.map(({ file }) => sizeOf(file));
  const shares = sharesOf(files, count, files.map(({ path: name }, at) => (sizes[at] ?? 0) * (effort[endingOf(name)] ?? 1) * (known.has(name) ? effortOfKnown : 1)));
  const paths = shares.map((share) => share.map((each) => each.path));
  const peersOf = shares.map((): { readonly port: MessagePort; readonly paths: readonly string[] }[] => []);
  for (const [at, mine] of peersOf.entries()) {
    for (const [other, theirs] of peersOf.entries()) {
      if (other <= at) continue;
      const { port1, port2 } = new MessageChannel();
      mine.push({ port: port1, paths: paths[other] ?? [] });
      theirs.push({ port: port2, paths: paths[at] ?? [] });
    }
  }
  // Later ones count calls instead, and do not know the flag.
  if (process.versions.v8.startsWith("11.")) setFlagsFromString(`--interrupt-budget=${optimizeAfterBytes}`);
  const toParseBytes = sizes.reduce((sum, size, at) => sum + (known.has(files[at]?.path ?? "") ? 0 : size), 0);
  if (toParseBytes < quickParsersLimitBytes && quickParsers.releases.test(process.versions.v8)) quickParsers.flags.forEach(setFlagsFromString);
  const folder = path.dirname(fileURLToPath(import.meta.url));
  const threads = peersOf.map((peers) => startThread(path.join(folder, "worker", "lintShare.js"), { grammars: folder, peers }, { heapMb: 4096 }, peers.map(({ port }) => port)));
  try {
    const answers = threads.map(async (thread, at) => {
      const lost = thread.gone.then((end) => {
        throw end.how === "ended" ? new Error("The thread was ended.") : end.how === "memory" ? new Error("The files need more memory than there is.") : end.error;
      });
      lost.catch(() => undefined);
      const share = shares[at] ?? [];
      const mine = new Map(share.flatMap(({ path: name }) => {
        const facts = known.get(name);
        // A copy of its own, since a message takes the whole of what lies behind a part.
        return facts === undefined ? [] : [[name, { ...facts, facts: facts.facts.slice() }] as const];
      }));
      return Promise.race([connect<LintShareApi>(thread.port).call("lint", { files: share, known: mine, keep: cache !== undefined }, signal), lost]);
    });
    const results = (await Promise.all(answers)).flat();
    const wanted = new Set(files.filter((each) => each.wanted).map((each) => each.path));
    return { files: results.filter((each) => wanted.has(each.path)), keep: async () => cache?.keep(files, results) };
  } finally {
    for (const thread of threads) thread.end();
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** Shares of about the same effort. Each has as few languages as can be: of each, a thread has code to make fast. */
function sharesOf(files: readonly LintFile[], count: number, efforts: readonly number[]): readonly (readonly LintFile[])[] {
  const shares = Array.from({ length: count }, (): LintFile[] => []);
  const total = efforts.reduce((sum, each) => sum + each, 0);
  const sorted = files.map((file, at) => ({ file, effort: efforts[at] ?? 0, ending: endingOf(file.path) })).sort((a, b) => (a.ending < b.ending ? -1 : a.ending > b.ending ? 1 : 0));
  let done = 0;
  for (const { file, effort: its } of sorted) {
    shares[Math.min(count - 1, total === 0 ? 0 : Math.floor((done * count) / total))]?.push(file);
    done += its;
  }
  return shares;
}

function endingOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
