import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { startThread } from "../clients/workerThread";
import type { LintFile, LintShareApi, SharedFile } from "../core/lint/shareProtocol";
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
 * Lints files in threads of their own, so that an interrupt counts at once, also within a large file. Resolves to what came of those that are
 * wanted, in no order. Rejects with the signal's reason, and with an error when a thread ends early.
 */
export async function lintInThreads(files: readonly LintFile[], signal: AbortSignal): Promise<readonly SharedFile[]> {
  const count = Math.max(1, Math.min(threadLimit, availableParallelism(), Math.floor(files.length / filesPerThread)));
  const ports = Array.from({ length: count }, (): MessagePort[] => []);
  for (const [at, mine] of ports.entries()) {
    for (const theirs of ports.slice(at + 1)) {
      const { port1, port2 } = new MessageChannel();
      mine.push(port1);
      theirs.push(port2);
    }
  }
  // Later ones count calls instead, and do not know the flag.
  if (process.versions.v8.startsWith("11.")) setFlagsFromString(`--interrupt-budget=${optimizeAfterBytes}`);
  const folder = path.dirname(fileURLToPath(import.meta.url));
  const threads = ports.map((peers) => startThread(path.join(folder, "worker", "lintShare.js"), { grammars: folder, peers }, { heapMb: 4096 }, peers));
  try {
    const shares = threads.map(async (thread, at) => {
      const lost = thread.gone.then((end) => {
        throw end.how === "ended" ? new Error("The thread was ended.") : end.how === "memory" ? new Error("The files need more memory than there is.") : end.error;
      });
      lost.catch(() => undefined);
      return Promise.race([connect<LintShareApi>(thread.port).call("lint", { files: files.filter((_, index) => index % count === at) }, signal), lost]);
    });
    return (await Promise.all(shares)).flat();
  } finally {
    for (const thread of threads) thread.end();
  }
}
