import { useEffect, useState } from "preact/hooks";
import { systemClock } from "../../core/base/async";

/** An answer on its way, come, or not to be had. */
export interface Answer<T> {
  readonly value: T | undefined;
  readonly failure: string | undefined;
  /** True until the answer to this question is there; meanwhile `value` is the one before. */
  readonly busy: boolean;
}

/** Asks when `key` changes, or `delayMs` after it did so last; what is on its way is given up then. Null asks nothing. */
export function useAnswer<T>(key: string | null, ask: (signal: AbortSignal) => Promise<T>, delayMs = 0): Answer<T> {
  const [answer, setAnswer] = useState<{ readonly key: string; readonly value: T | undefined; readonly failure: string | undefined }>({ key: "", value: undefined, failure: undefined });
  useEffect(() => {
    if (key === null) return undefined;
    const abort = new AbortController();
    (delayMs === 0 ? ask(abort.signal) : systemClock.sleep(delayMs, abort.signal).then(() => ask(abort.signal))).then((value) => {
      if (!abort.signal.aborted) setAnswer({ key, value, failure: undefined });
    }, (error: unknown) => {
      if (!abort.signal.aborted) setAnswer({ key, value: undefined, failure: error instanceof Error ? error.message : String(error) });
    });
    return () => abort.abort();
  }, [key]);
  return key === null ? { value: undefined, failure: undefined, busy: false } : { value: answer.value, failure: answer.key === key ? answer.failure : undefined, busy: answer.key !== key };
}
