import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { systemClock } from "../core/base/async";
import type { Disposable } from "../core/base/disposable";
import { FlinkError, isFlinkError } from "../core/errors";
import type { Credential, Credentials, Log } from "../core/ports";
import { pump, read } from "./httpBodies";
import { classifyBreak, classifyRedirect, classifyStatus, publicUrl } from "./httpFailures";

/** A body sent piece by piece; its length is announced before the first piece. */
export interface StreamedBody {
  readonly contentType: string;
  readonly lengthBytes: number;
  /** Opened once per request. What it throws is what `send` rejects with. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Bytes handed to the network so far. */
  onSent?(sentBytes: number): void;
}

/** One HTTP request. Every method but GET and HEAD acts: it travels on a connection of its own and is never sent twice. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
  /** Absolute http(s) address without user info. */
  readonly url: string;
  /** PEM file with the authorities to trust instead of the system's. */
  readonly caFile?: string;
  /** Sent as JSON. */
  readonly json?: object;
  readonly stream?: StreamedBody;
  /** `none`: the server may think as long as it likes before it answers. Connecting, sending and reading are still watched. */
  readonly headTimeout?: "none";
  /** Largest body read, default 64 MiB. HTML pages are cut at 64 KiB instead: nothing but their title is of use. */
  readonly limitBytes?: number;
}

/** An answer of any status but 401, 403 and the redirects, which are errors. */
export interface HttpAnswer {
  /** Address that answered, without its query. */
  readonly url: string;
  readonly status: number;
  /** Media type in lower case without parameters, `""` when absent. */
  readonly contentType: string;
  readonly body: Buffer;
}

/**
 * Sends requests. Rejects with the signal's reason when aborted, else with `cluster-unreachable`, `no-answer`, `answer-lost`, `tls-failed`,
 * `tls-expected`, `unauthorized`, `redirected`, `not-flink` (what answers is not HTTP), `reply-too-large`, `file-unreadable` (CA file), `setting-invalid` (token).
 * For requests that act, `answer-lost` is the only one of these after which the server may have acted.
 */
export interface Http extends Disposable {
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
}

/** What the network needs from the outside. */
export interface HttpOptions {
  /** Asked with the request's own origin, for each request; what it returns is sent to that origin only. */
  readonly credentials: Pick<Credentials, "get">;
  /** Milliseconds of silence after which a request is given up. */
  requestTimeoutMs(): number;
  readonly log: Log;
  /** Reads a PEM file. */
  readCa(file: string): Promise<string>;
}

const maxRedirects = 3;
const idleConnectionMs = 20_000;
const connectionsPerOrigin = 8;
/** For so many time-outs any byte of an answer counts as progress; after that only so many bytes do, so that no answer can drip for ever. */
const dropsForTimeouts = 10;
const paceBytes = 64 * 1024;

/**
 * The only place that speaks HTTP. It calls the `request` functions of Node's own modules, because those are the ones through which
 * VS Code applies `http.proxy` and the system's certificates; connections are kept alive per origin and TLS identity.
 */
export function createHttp(options: HttpOptions): Http {
  const pool = { keepAlive: true, maxSockets: connectionsPerOrigin, timeout: idleConnectionMs };
  const agents = { "http:": new http.Agent(pool), "https:": new https.Agent(pool) };
  const sendOnce = async (request: HttpRequest, url: URL, signal: AbortSignal): Promise<Exchanged> => {
    const attempt = await prepare(request, url, options);
    if (acts(request.method)) return exchange(attempt, false, signal);
    const agent = url.protocol === "https:" ? agents["https:"] : agents["http:"];
    try {
      return await exchange(attempt, agent, signal);
    } catch (error) {
      // The server closed an idle connection just as we used it: asking again on a new one is safe, since nothing acts.
      if (error instanceof StaleConnection) return exchange(attempt, false, signal);
      throw error;
    }
  };
  return {
    async send(request, signal) {
      const startedMs = Date.now();
      const write = (outcome: string, failed: boolean): void => {
        const line = `${request.method} ${new URL(request.url).pathname} ${outcome} in ${Date.now() - startedMs} ms`;
        if (!acts(request.method)) options.log.debug(line);
        else if (failed) options.log.warn(line);
        else options.log.info(line);
      };
      try {
        signal.throwIfAborted();
        const answer = await follow(request, (url) => sendOnce(request, url, signal));
        write(`${answer.status}, ${answer.body.length} bytes`, answer.status >= 400);
        return answer;
      } catch (error) {
        write(signal.aborted ? "aborted" : isFlinkError(error) ? describe(error) : "failed", true);
        throw error;
      }
    },
    dispose() {
      agents["http:"].destroy();
      agents["https:"].destroy();
    },
  };
}

/** Sends, follows what may be followed, and turns every other redirect and refusal into an error. */
async function follow(request: HttpRequest, sendTo: (url: URL) => Promise<Exchanged>): Promise<HttpAnswer> {
  let url = new URL(request.url);
  for (let hops = 0; ; hops++) {
    const { answer, location } = await sendTo(url);
    const target = classifyRedirect(answer, url, location, !acts(request.method) && hops < maxRedirects);
    if (target === undefined) {
      classifyStatus(answer, url);
      return answer;
    }
    url = target;
  }
}

interface Attempt {
  readonly request: HttpRequest;
  readonly url: URL;
  readonly options: https.RequestOptions;
  readonly timeoutMs: number;
}

interface Exchanged {
  readonly answer: HttpAnswer;
  readonly location: string | undefined;
}

class StaleConnection extends Error {}

/** Adds the credentials of this origin, and of no other. */
async function prepare(request: HttpRequest, url: URL, options: HttpOptions): Promise<Attempt> {
  const headers: http.OutgoingHttpHeaders = { "accept": "application/json", "accept-encoding": "identity", "user-agent": "flink-savepoints" };
  if (request.stream !== undefined) {
    headers["content-type"] = request.stream.contentType;
    headers["content-length"] = request.stream.lengthBytes;
  } else if (request.json !== undefined) {
    headers["content-type"] = "application/json; charset=UTF-8";
  }
  const credentials = await options.credentials.get(url.origin);
  const authorization = authorizationOf(credentials);
  if (authorization !== undefined) headers["authorization"] = authorization;
  const tls: https.RequestOptions = {};
  if (url.protocol === "https:") {
    if (request.caFile !== undefined) tls.ca = await readAuthorities(request.caFile, options);
    const identity = credentials.find((credential) => credential.kind === "certificate");
    if (identity !== undefined) Object.assign(tls, { cert: identity.certPem, key: identity.keyPem, ...(identity.passphrase === undefined ? {} : { passphrase: identity.passphrase }) });
  }
  return { request, url, options: { method: request.method, headers, ...tls }, timeoutMs: options.requestTimeoutMs() };
}

function authorizationOf(credentials: readonly Credential[]): string | undefined {
  const bearer = credentials.find((credential) => credential.kind === "bearer");
  if (bearer !== undefined) {
    const token = bearer.token.trim();
    if (!/^[\x21-\x7e]+$/.test(token)) throw new FlinkError("setting-invalid", { setting: "token", problem: "holds characters that no header can carry" });
    return `Bearer ${token}`;
  }
  const basic = credentials.find((credential) => credential.kind === "basic");
  return basic === undefined ? undefined : `Basic ${Buffer.from(`${basic.user}:${basic.password}`, "utf8").toString("base64")}`;
}

async function readAuthorities(file: string, options: HttpOptions): Promise<string> {
  let pem: string;
  try {
    pem = await options.readCa(file);
  } catch (error) {
    throw new FlinkError("file-unreadable", { path: file, reason: (error as NodeJS.ErrnoException).code ?? "unreadable" }, { cause: error });
  }
  // Node takes a file without certificates in silence, and would then trust nobody.
  if (!pem.includes("-----BEGIN")) throw new FlinkError("file-unreadable", { path: file, reason: "no PEM certificate in it" });
  return pem;
}

/** One request on the wire and its answer. */
function exchange(attempt: Attempt, agent: http.Agent | false, signal: AbortSignal): Promise<Exchanged> {
  const { request, url, timeoutMs } = attempt;
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    let connected = false;
    let bodyOut = request.stream === undefined;
    let head = false;
    let movedAtMs = Date.now();
    const moved = (): void => void (movedAtMs = Date.now());
    let headAtMs = 0;
    let unpacedBytes = 0;
    const received = (bytes: number): void => {
      unpacedBytes += bytes;
      if (Date.now() - headAtMs > dropsForTimeouts * timeoutMs && unpacedBytes < paceBytes) return;
      unpacedBytes = 0;
      moved();
    };

    const finish = (settle: () => void): void => {
      if (over.signal.aborted) return;
      over.abort();
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    const fail = (error: unknown): void =>
      finish(() => {
        outgoing?.destroy();
        reject(error as Error);
      });
    const broke = (error: unknown): void => {
      const stale = outgoing?.reusedSocket === true && agent !== false && !head && !acts(request.method);
      if (stale && ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "")) return fail(new StaleConnection());
      fail(classifyBreak(error, { url, acts: acts(request.method), connected, sent: connected && bodyOut, timeoutMs }));
    };
    const onAbort = (): void => fail(signal.reason);

    let outgoing: http.ClientRequest | undefined;
    try {
      outgoing = (url.protocol === "https:" ? https : http).request(url, { ...attempt.options, agent });
    } catch (error) {
      return broke(error);
    }
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort);
    outgoing.on("error", broke);
    outgoing.on("socket", (socket) => {
      whenUsable(socket, () => {
        connected = true;
        moved();
      });
    });
    outgoing.on("response", (incoming) => {
      head = true;
      moved();
      headAtMs = Date.now();
      read(incoming, request, received).then(
        (body) =>
          finish(() => {
            // An answer before the end of the upload, or a page cut short: this connection is of no more use.
            if (!incoming.complete || outgoing?.writableFinished !== true) outgoing?.destroy();
            const contentType = (incoming.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
            resolve({ answer: { url: publicUrl(url), status: incoming.statusCode ?? 0, contentType, body }, location: incoming.headers.location });
          }),
        broke,
      );
    });
    if (request.stream === undefined) outgoing.end(request.json === undefined ? undefined : JSON.stringify(request.json));
    else pump(request.stream, outgoing, over.signal, moved, () => void (bodyOut = true)).catch(fail);

    const silence = async (): Promise<void> => {
      for (;;) {
        const dueMs = movedAtMs + timeoutMs;
        await systemClock.sleep(Math.max(0, dueMs - Date.now()), over.signal);
        // While the machine slept, or this process was busy, nobody was silent. And timers come before what waits in the sockets: look once more after it.
        const lateMs = Date.now() - dueMs;
        if (lateMs > 100) movedAtMs = Math.min(Date.now(), movedAtMs + lateMs);
        await systemClock.sleep(0, over.signal);
        if (request.headTimeout === "none" && connected && bodyOut && !head) moved();
        if (Date.now() >= movedAtMs + timeoutMs) return broke(Object.assign(new Error("timeout"), { code: connected ? "timeout" : "ETIMEDOUT" }));
      }
    };
    silence().catch(() => undefined);
  });
}

/** Calls back once bytes of ours can reach the other side's program: after the TLS handshake, or at once when that cannot be told. */
function whenUsable(socket: Socket, ready: () => void): void {
  if (!socket.connecting) ready();
  else socket.once("encrypted" in socket ? "secureConnect" : "connect", ready);
  // A jar that is initialised answers nothing for minutes, and what stands between forgets silent connections.
  socket.setKeepAlive(true, 30_000);
}

function acts(method: HttpRequest["method"]): boolean {
  return method !== "GET" && method !== "HEAD";
}

function describe(error: FlinkError): string {
  const reason = (error.facts as { reason?: string }).reason;
  return reason === undefined ? error.code : `${error.code} (${reason})`;
}
