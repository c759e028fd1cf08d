import * as z from "zod";
import { FlinkError } from "../../core/errors";
import type { HttpAnswer } from "../http";
import { failureOfErrors } from "./failures";

const errorBody = z.lazy(() => z.looseObject({ errors: z.array(z.string()).min(1) }));

/**
 * Reads an answer of the REST API. Throws
 * - `no-such-route`, `no-leader`, `flink-failed` for what Flink refuses (`ErrorResponseBody`),
 * - `not-flink` for anything that is no answer of Flink's, `cluster-unreachable` when a gateway says that it could not reach it,
 * - `unexpected-reply` for JSON of another shape.
 * For a call that acts, an answer after which Flink may have acted all the same is `answer-lost`: a gateway that gave up waiting,
 * an RPC inside Flink that timed out, or a success that cannot be read.
 */
export function readAnswer<R>(answer: HttpAnswer, reply: z.ZodType<R>, acts: boolean): R {
  const { url, status } = answer;
  const json = parseJson(answer);
  const refused = errorBody.safeParse(json);
  // A HistoryServer archives refusals and serves them with status 200.
  if (refused.success) throw refusal(url, status, refused.data.errors, acts);
  const good = status >= 200 && status < 300;
  if (json === undefined || !good) {
    if (acts && (good || status >= 500 || status === 408)) throw new FlinkError("answer-lost", { url, reason: good ? "unreadable reply" : `HTTP ${status}` });
    if (status >= 502) throw new FlinkError("cluster-unreachable", { url, reason: `HTTP ${status}` });
    if (good && answer.contentType === "application/json") throw new FlinkError("unexpected-reply", { url, detail: "not valid JSON" });
    throw new FlinkError("not-flink", { url, status, contentType: answer.contentType, title: pageTitle(answer.body) });
  }
  const parsed = reply.safeParse(json);
  if (parsed.success) return parsed.data;
  const detail = describeIssues(parsed.error);
  throw acts ? new FlinkError("answer-lost", { url, reason: `unexpected reply: ${detail}`, acted: true }) : new FlinkError("unexpected-reply", { url, detail });
}

/** The text of a page's `<title>`, at most 100 characters, or null. */
export function pageTitle(body: Buffer): string | null {
  const head = body.subarray(0, 64 * 1024).toString("utf8");
  const start = head.search(/<title[\s>]/i);
  if (start < 0) return null;
  const open = head.indexOf(">", start);
  const rest = open < 0 ? "" : head.slice(open + 1, open + 1 + 500);
  const close = rest.search(/<\/title/i);
  const entities: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&quot;": "\"", "&#39;": "'", "&nbsp;": " ", "&amp;": "&" };
  const text = (close < 0 ? rest : rest.slice(0, close)).replace(/&(lt|gt|quot|#39|nbsp|amp);/g, (entity) => entities[entity] ?? entity);
  const title = text.replace(/[\u0000-\u001f\u007f\s]+/g, " ").trim().slice(0, 100);
  return title === "" ? null : title;
}

/** The texts with which Flink's router, its web UI and its upload handler (which comes before the router) say that they do not know a path. */
function isUnknownRoute(status: number, message: string): boolean {
  if (status === 400) return message === "POST request not allowed" || message === "File uploads not allowed.";
  return status === 404 && /^(Not found: \/|Unable to load requested file )/.test(message);
}

function refusal(url: string, status: number, errors: readonly string[], acts: boolean): FlinkError {
  const failure = failureOfErrors(errors);
  if (errors.length === 1 && isUnknownRoute(status, errors[0] ?? "")) return new FlinkError("no-such-route", { url });
  if (status === 503) return new FlinkError("no-leader", { url });
  // The handler gave up waiting for the JobManager's answer; the JobManager may still do what it was asked.
  const gaveUp = status === 408 || (status >= 500 && /(^|[.$])(AskTimeoutException|TimeoutException)$/.test(failure.exception));
  if (acts && gaveUp) return new FlinkError("answer-lost", { url, reason: failure.exception === "" ? `HTTP ${status}` : failure.exception });
  return new FlinkError("flink-failed", { url, status, ...failure });
}

function parseJson(answer: HttpAnswer): object | undefined {
  // A page is no JSON, however long it takes to find out.
  if (/html/.test(answer.contentType)) return undefined;
  try {
    const value: unknown = JSON.parse(answer.body.toString("utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function describeIssues(error: z.ZodError): string {
  const shown = error.issues.slice(0, 3).map((issue) => `${issue.path.length === 0 ? "reply" : issue.path.map(String).join(".")}: ${issue.message}`);
  return shown.join("; ").slice(0, 300);
}
