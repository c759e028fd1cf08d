import { useEffect, useRef, useState } from "preact/hooks";

/** A window of a list that lies elsewhere. */
export interface LoadedPage<T> {
  readonly total: number;
  readonly rows: readonly T[];
}

/** Rows of such a list, as far as they have come. */
export interface Rows<T> {
  readonly total: number;
  /** False until the first rows of this list are there; meanwhile those of the list before are. */
  readonly current: boolean;
  at(index: number): T | undefined;
  /** Asks for what is in sight. */
  show(first: number, last: number): void;
  readonly failure: string | undefined;
}

const chunkRows = 100;

interface Loaded<T> {
  readonly key: string;
  readonly total: number;
  readonly chunks: ReadonlyMap<number, readonly T[]>;
}

/**
 * Fetches a long list a chunk at a time, as it comes into sight. `key` names the list; when it changes, the rows before stay until the new
 * ones are there, so nothing flickers.
 */
export function useRows<T>(key: string, load: (from: number, limit: number, signal: AbortSignal) => Promise<LoadedPage<T>>): Rows<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ key: "", total: 0, chunks: new Map() });
  const [failure, setFailure] = useState<string>();
  const list = useRef({ key: "", asked: new Set<number>(), abort: new AbortController() });
  const loader = useRef(load);
  loader.current = load;

  const ask = (chunk: number): void => {
    const { asked, abort } = list.current;
    if (asked.has(chunk)) return;
    asked.add(chunk);
    loader.current(chunk * chunkRows, chunkRows, abort.signal).then(({ total, rows }) => {
      if (abort.signal.aborted) return;
      setFailure(undefined);
      setLoaded((before) => ({ key, total, chunks: new Map(before.key === key ? before.chunks : []).set(chunk, rows) }));
    }, (error: unknown) => {
      asked.delete(chunk);
      if (!abort.signal.aborted) setFailure(error instanceof Error ? error.message : String(error));
    });
  };

  useEffect(() => {
    const abort = new AbortController();
    list.current = { key, asked: new Set(), abort };
    ask(0);
    return () => abort.abort();
  }, [key]);

  return {
    total: loaded.total, current: loaded.key === key, failure,
    at: (index) => loaded.chunks.get(Math.floor(index / chunkRows))?.[index % chunkRows],
    show(first, last) {
      if (list.current.key === key) for (let chunk = Math.floor(first / chunkRows); chunk <= Math.floor(last / chunkRows); chunk++) ask(chunk);
    },
  };
}

/** Rows that are all there. */
export function listRows<T>(list: readonly T[]): Rows<T> {
  return { total: list.length, current: true, at: (index) => list[index], show: () => undefined, failure: undefined };
}
