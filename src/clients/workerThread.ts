import { parentPort, Worker, type MessagePort } from "node:worker_threads";
import type { Thread, ThreadEnd } from "../core/ports";
import type { Port } from "../core/rpc";

/** What a thread may use, in megabytes of JavaScript heap; a thread that needs more is ended instead of the process. */
export interface ThreadLimits {
  readonly heapMb: number;
}

/** Starts a bundled file as a thread with its start data; ports in that are handed over. Errors of starting it are a crash of it. */
export function startThread(file: string, data: unknown, limits: ThreadLimits, ports: readonly MessagePort[] = []): Thread {
  const worker = new Worker(file, { workerData: data, transferList: [...ports], execArgv: [], stdout: false, stderr: false, resourceLimits: { maxOldGenerationSizeMb: limits.heapMb } });
  let told = false;
  let failure: { error: unknown } | undefined;
  worker.on("error", (error) => (failure = { error }));
  const gone = new Promise<ThreadEnd>((resolve) => {
    worker.once("exit", (exitCode) => {
      if (told) return resolve({ how: "ended" });
      const error = failure?.error ?? new Error(`the thread ended with code ${exitCode}`);
      resolve({ how: (error as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY" ? "memory" : "crash", error });
    });
  });
  return {
    gone,
    port: {
      post: (message) => worker.postMessage(message),
      onMessage(listener) {
        worker.on("message", listener);
        return { dispose: () => void worker.off("message", listener) };
      },
    },
    end() {
      told = true;
      void worker.terminate();
    },
  };
}

/** The port to whoever started this thread. Throws outside of a thread. */
export function starterPort(): Port {
  const port = parentPort;
  if (port === null) throw new Error("This is no thread.");
  return {
    post: (message) => port.postMessage(message),
    onMessage(listener) {
      port.on("message", listener);
      return { dispose: () => void port.off("message", listener) };
    },
  };
}
