import { FlinkError } from "../core/errors";
import type { HttpAnswer } from "./http";

/** How far a request had come when it broke. */
export interface BreakState {
  readonly url: URL;
  /** The request changes something and must not be repeated on a guess. */
  readonly acts: boolean;
  /** A connection stood, TLS included. */
  readonly connected: boolean;
  /** The last byte of the request may have reached the server. */
  readonly sent: boolean;
  readonly timeoutMs: number;
}

/** The address as it may appear in logs and messages: no query (it may hold a token), no user info. */
export function publicUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** Names why a request got no whole answer. What is a `FlinkError` already stays one, unless the request may have acted. */
export function classifyBreak(error: unknown, state: BreakState): FlinkError {
  const url = publicUrl(state.url);
  const options = { cause: error };
  const code = codeOf(error);
  // A server that refuses our certificate says so after the handshake, when the request is on its way; but no program ever sees that request.
  if (isTls(code) && (!state.acts || !state.sent || code.includes("ALERT"))) return new FlinkError("tls-failed", { url, reason: code }, options);
  if (state.acts && state.sent) return new FlinkError("answer-lost", { url, reason: error instanceof FlinkError ? error.code : code }, options);
  if (error instanceof FlinkError) return error;
  if (code === "timeout") return new FlinkError("no-answer", { url, afterMs: state.timeoutMs }, options);
  if (code.startsWith("HPE_")) {
    if (startsWithTlsRecord(error)) return new FlinkError("tls-expected", { url }, options);
    return new FlinkError("not-flink", { url, status: 0, contentType: "", title: null }, options);
  }
  return new FlinkError("cluster-unreachable", { url, reason: code }, options);
}

/**
 * The address to follow, or undefined when the answer is no redirect. Throws `tls-expected` for plain http to a TLS port (Flink's
 * RedirectingSslHandler), `unauthorized` for a way to a login page on the same origin, and `redirected` for every other that must not be followed.
 */
export function classifyRedirect(answer: HttpAnswer, from: URL, location: string | undefined, mayFollow: boolean): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(answer.status)) return undefined;
  const url = publicUrl(from);
  const target = location === undefined ? undefined : parse(location, from);
  if (target === undefined) throw new FlinkError("redirected", { url, status: answer.status, target: null });
  if (target.origin !== from.origin) {
    if (isSamePortOverTls(from, target)) throw new FlinkError("tls-expected", { url });
    throw new FlinkError("redirected", { url, status: answer.status, target: publicUrl(target) });
  }
  if (isLoginPath(target.pathname) && !isLoginPath(from.pathname)) throw new FlinkError("unauthorized", { url, status: answer.status });
  if (!mayFollow) throw new FlinkError("redirected", { url, status: answer.status, target: publicUrl(target) });
  target.username = "";
  target.password = "";
  return target;
}

/** Throws for the statuses that mean the same whoever answers. */
export function classifyStatus(answer: HttpAnswer, from: URL): void {
  const url = publicUrl(from);
  if (answer.status === 401 || answer.status === 403) throw new FlinkError("unauthorized", { url, status: answer.status });
  if (answer.status === 400 && from.protocol === "http:" && /HTTP request (was sent )?to (an )?HTTPS (port|server)/i.test(answer.body.subarray(0, 2048).toString("latin1"))) {
    throw new FlinkError("tls-expected", { url });
  }
}

/** Node's code; where that is a bare EPROTO, OpenSSL's reason spelled as Node spells the others: ERR_SSL_WRONG_VERSION_NUMBER. */
function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== "string" || code === "") return "unknown";
  const reason = code === "EPROTO" ? /SSL routines:[^:]*:([a-z0-9 ]+):/.exec(message)?.[1] : undefined;
  return reason === undefined ? code : `ERR_SSL_${reason.toUpperCase().replaceAll(" ", "_")}`;
}

function isTls(code: string): boolean {
  return /^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERROR_IN_|HOSTNAME_MISMATCH$|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_)/.test(code);
}

/** A TLS server that was spoken to in plain text answers with an alert record: 0x15 0x03. */
function startsWithTlsRecord(error: unknown): boolean {
  const packet = (error as { rawPacket?: unknown }).rawPacket;
  return packet instanceof Uint8Array && packet[0] === 0x15 && packet[1] === 0x03;
}

function parse(location: string, base: URL): URL | undefined {
  try {
    const url = new URL(location, base);
    return url.protocol === "http:" || url.protocol === "https:" ? url : undefined;
  } catch {
    return undefined;
  }
}

/** The same port but https, under whatever name Flink calls itself; or the default ports of the same host. */
function isSamePortOverTls(from: URL, target: URL): boolean {
  if (from.protocol !== "http:" || target.protocol !== "https:") return false;
  return from.port === "" ? target.port === "" && target.hostname === from.hostname : target.port === from.port;
}

function isLoginPath(pathname: string): boolean {
  return pathname.toLowerCase().split("/").some((part) => /^((log|sign)[-_]?(in|on)|sso|saml2?|oauth2?|oidc|cas|auth(enticate|orize)?)(\.\w+)?$/.test(part));
}
