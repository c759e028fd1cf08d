/** Something that posts and receives JSON: a page of ours, a worker thread, or either's other end. */
export interface Port {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): { dispose(): void };
}

/** A failure as it crosses a port: the code for programs, the sentence for people. */
export interface WireError {
  readonly code: string;
  readonly sentence: string;
}

/** Method name → its signature: one parameter object in, a result out. Everything that crosses is JSON; numbers beyond 2^53 are decimal strings. */
type ApiShape<T> = { readonly [K in keyof T]: (params: never) => unknown };

/** What answers an API. The signal is aborted when the caller gives up or the port is closed. */
export type Handlers<Api extends ApiShape<Api>> = {
  readonly [K in keyof Api]: (params: Parameters<Api[K]>[0], signal: AbortSignal) => Promise<ReturnType<Api[K]>>;
};

type Frame =
  | { readonly kind: "request"; readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "reply"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: WireError }
  | { readonly kind: "event"; readonly name: string; readonly payload: unknown };

/** A call that failed on the other side. */
export class RemoteError extends Error {
  readonly code: string;

  constructor(error: WireError) {
    super(error.sentence);
    this.name = "RemoteError";
    this.code = error.code;
  }
}

/** The answering end. */
export interface Server<Events> {
  emit<K extends keyof Events & string>(name: K, payload: Events[K]): void;
  /** Aborts what runs and answers nothing more. */
  dispose(): void;
}

/** Answers requests over a port. Every failure, that of an unknown method included, becomes an answer, so that no caller waits for ever. */
export function serve<Api extends ApiShape<Api>, Events = Record<never, never>>(port: Port, handlers: Handlers<Api>, toWire: (error: unknown) => WireError): Server<Events> {
  const running = new Map<number, AbortController>();
  const answer = async (id: number, method: string, params: unknown): Promise<void> => {
    const abort = new AbortController();
    running.set(id, abort);
    const reply = await Promise.resolve().then(() => {
      if (!Object.hasOwn(handlers, method)) throw new RangeError(`There is no method ${method}.`);
      return (handlers[method as keyof Api] as (params: unknown, signal: AbortSignal) => Promise<unknown>)(params, abort.signal);
    }).then<Frame, Frame>((value) => ({ kind: "reply", id, value }), (error: unknown) => ({ kind: "failure", id, error: toWire(error) }));
    if (running.delete(id)) port.post(reply);
  };
  const listening = port.onMessage((message) => {
    const frame = message as Frame;
    if (frame.kind === "request") void answer(frame.id, frame.method, frame.params);
    else if (frame.kind === "cancel") running.get(frame.id)?.abort();
  });
  return {
    emit: (name, payload) => port.post({ kind: "event", name, payload } satisfies Frame),
    dispose() {
      listening.dispose();
      const aborted = [...running.values()];
      running.clear();
      for (const abort of aborted) abort.abort();
    },
  };
}

/** The asking end. */
export interface Client<Api extends ApiShape<Api>, Events> {
  /** Rejects with `RemoteError`, with the signal's reason at once when it is aborted, or with `closed` when this end is disposed. */
  call<K extends keyof Api & string>(method: K, params: Parameters<Api[K]>[0], signal?: AbortSignal): Promise<ReturnType<Api[K]>>;
  on<K extends keyof Events & string>(name: K, listener: (payload: Events[K]) => void): void;
  /** `reason` becomes the rejection of what is pending. */
  dispose(reason?: WireError): void;
}

/** Calls the other side of a port. */
export function connect<Api extends ApiShape<Api>, Events = Record<never, never>>(port: Port): Client<Api, Events> {
  let nextId = 0;
  let closed: WireError | undefined;
  const waiting = new Map<number, { resolve(value: unknown): void; reject(reason: unknown): void }>();
  const listeners = new Map<string, (payload: never) => void>();
  const listening = port.onMessage((message) => {
    const frame = message as Frame;
    if (frame.kind === "event") return void listeners.get(frame.name)?.(frame.payload as never);
    if (frame.kind !== "reply" && frame.kind !== "failure") return;
    const call = waiting.get(frame.id);
    waiting.delete(frame.id);
    if (frame.kind === "reply") call?.resolve(frame.value);
    else call?.reject(new RemoteError(frame.error));
  });
  return {
    call: (method, params, signal) => new Promise((resolve, reject) => {
      if (closed !== undefined) return reject(new RemoteError(closed));
      if (signal?.aborted) return reject(signal.reason as Error);
      const id = nextId++;
      const giveUp = (): void => {
        if (!waiting.delete(id)) return;
        port.post({ kind: "cancel", id } satisfies Frame);
        reject(signal?.reason as Error);
      };
      const settled = <T>(settle: (value: T) => void) => (value: T) => {
        signal?.removeEventListener("abort", giveUp);
        settle(value);
      };
      waiting.set(id, { resolve: settled(resolve as (value: unknown) => void), reject: settled(reject) });
      signal?.addEventListener("abort", giveUp, { once: true });
      port.post({ kind: "request", id, method, params } satisfies Frame);
    }),
    on: (name, listener) => void listeners.set(name, listener as (payload: never) => void),
    dispose(reason = { code: "closed", sentence: "The other side was closed." }) {
      closed = reason;
      listening.dispose();
      for (const call of waiting.values()) call.reject(new RemoteError(reason));
      waiting.clear();
    },
  };
}
