import type { FlinkFailure } from "../../core/ports";

const messageLimit = 600;
const traceLimit = 32 * 1024;
const readLimit = 1024 * 1024;

/** A failed operation as Flink writes it (`SerializedThrowableSerializer`); its third field, the serialized object, is never read. */
export interface FailureCause {
  readonly class?: string | null | undefined;
  readonly "stack-trace"?: string | null | undefined;
}

/**
 * The failure in the `errors` of a refused request (`ErrorResponseBody`): one stack trace, one plain sentence, or the pair
 * "Internal server error." and "<Exception on server side: …>".
 */
export function failureOfErrors(errors: readonly string[]): FlinkFailure {
  const trace = errors.find((error) => error.startsWith("<Exception on server side:")) ?? errors.find((error) => /\n\s*at /.test(error)) ?? errors[0] ?? "";
  return failureOfTrace(trace);
}

/** The failure in an asynchronous result's `failure-cause`. */
export function failureOfCause(cause: FailureCause): FlinkFailure {
  const trace = cause["stack-trace"] ?? "";
  return failureOfTrace(trace === "" ? (cause.class ?? "") : trace);
}

/** The failure in a Java stack trace: its deepest cause, since the outer ones are wrappers that Flink's layers put around it. */
export function failureOfTrace(text: string): FlinkFailure {
  const trace = shorten(text.trim(), readLimit).replace(/^<Exception on server side:\s*/, "").replace(/\s*(\nEnd of exception on server side)>?\s*$/, "");
  const { exception, message } = unwrap(split(deepest(trace)));
  // "a.B" says little, "ClassNotFoundException: a.B" says it all; so does a bare "EOFException".
  const named = /\s/.test(message) || exception === "" ? message : [exception.split(".").at(-1), message].filter((part) => part !== "").join(": ");
  return { exception, message: oneLine(named), trace: shorten(trace, traceLimit) };
}

/** The text of the last `Caused by:`, else of the first line; with the lines a message goes on for, without stack frames. */
function deepest(trace: string): string {
  let found: string[] = [];
  let inMessage = true;
  for (const line of trace.split("\n")) {
    const cause = /^Caused by: (.*)$/.exec(line);
    if (cause !== null) {
      found = [cause[1] ?? ""];
      inMessage = true;
    } else if (/^\s+at |^\s*\.\.\. \d+ (more|common frames omitted)|^\s+(Suppressed|Caused by): |^End of exception on server side/.test(line)) {
      inMessage = false;
    } else if (inMessage) {
      found.push(line);
    }
  }
  return found.join("\n").trim();
}

interface Throwable {
  readonly exception: string;
  readonly message: string;
}

/** `java.io.IOException: text` in its two halves; a text without a class name is all message. */
function split(text: string): Throwable {
  const found = /^((?:[A-Za-z_$][\w$]*\.)+[A-Z_$][\w$]*)(?::\s?([\s\S]*))?$/.exec(text);
  return found === null ? { exception: "", message: text } : { exception: found[1] ?? "", message: (found[2] ?? "").trim() };
}

/** A `SerializedThrowable` and a cause-less `CompletionException` carry the real one in their message. */
function unwrap(throwable: Throwable): Throwable {
  if (!/\.(SerializedThrowable|CompletionException|ExecutionException|RemoteTransportException)$/.test(throwable.exception)) return throwable;
  const inner = split(throwable.message);
  return inner.exception === "" ? throwable : unwrap(inner);
}

function oneLine(message: string): string {
  const text = message.replace(/\s+/g, " ").trim();
  return text.length <= messageLimit ? text : `${text.slice(0, messageLimit - 1).trimEnd()}…`;
}

/** Keeps both ends: the first says what was asked, the last what went wrong. */
function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit / 4)}\n…\n${text.slice(-(limit - limit / 4))}`;
}
