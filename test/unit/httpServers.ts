import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { createHttp, type Http } from "../../src/clients/http";
import type { Credential, Log } from "../../src/core/ports";

/** A request as a server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A server on a free port of this machine, and what came in. */
export interface TestServer {
  readonly origin: string;
  readonly seen: SeenRequest[];
  /** Connections accepted so far. */
  connections(): number;
}

export type Answer = (request: SeenRequest, response: http.ServerResponse) => void;

/** Serves HTTP, or HTTPS when `tls` is given, until the test ends. */
export async function serve(t: TestContext, answer: Answer, tls?: https.ServerOptions): Promise<TestServer> {
  const seen: SeenRequest[] = [];
  const listener = (incoming: http.IncomingMessage, response: http.ServerResponse): void => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("end", () => {
      const request = { method: incoming.method ?? "", url: incoming.url ?? "", headers: incoming.headers, body: Buffer.concat(parts) };
      seen.push(request);
      answer(request, response);
    });
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  const { port, connections } = await listen(t, server);
  return { origin: `${tls === undefined ? "http" : "https"}://localhost:${port}`, seen, connections };
}

/** Serves bytes: for everything that a proper HTTP server would never do. */
export async function serveRaw(t: TestContext, onConnection: (socket: net.Socket, count: number) => void): Promise<TestServer> {
  let count = 0;
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    onConnection(socket, ++count);
  });
  const { port, connections } = await listen(t, server);
  return { origin: `http://localhost:${port}`, seen: [], connections };
}

async function listen(t: TestContext, server: net.Server): Promise<{ port: number; connections: () => number }> {
  const sockets = new Set<net.Socket>();
  let count = 0;
  server.on("connection", (socket: net.Socket) => {
    count++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as net.AddressInfo).port, connections: () => count };
}

/** The module under test with its log, one line per call. */
export function client(t: { after(end: () => void): void }, options: { credentials?: (origin: string) => readonly Credential[]; timeoutMs?: number } = {}): Http & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (message: unknown): void => void lines.push(String(message));
  const log: Log = { trace: write, debug: write, info: write, warn: write, error: write };
  const made = createHttp({
    credentials: { get: (origin) => Promise.resolve(options.credentials?.(origin) ?? []) },
    requestTimeoutMs: () => options.timeoutMs ?? 5_000,
    log,
    readCa: (file) => readFile(file, "utf8"),
  });
  t.after(() => made.dispose());
  return { ...made, lines };
}

/** Never aborted. */
export const steady = new AbortController().signal;

/** An authority, a server identity for localhost and a client identity, made with openssl. */
export interface TestIdentities {
  readonly folder: string;
  readonly caFile: string;
  readonly caPem: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: Extract<Credential, { kind: "certificate" }>;
}

let identities: TestIdentities | undefined;

/** Made once per process, removed when it ends. */
export function testIdentities(): TestIdentities {
  if (identities !== undefined) return identities;
  const folder = mkdtempSync(path.join(tmpdir(), "http-test-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string): string => path.join(folder, name);
  const openssl = (...args: readonly string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  writeFileSync(file("names"), "subjectAltName=DNS:localhost\n");
  openssl("req", "-x509", ...newKey, "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "2");
  openssl("req", ...newKey, "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem");
  openssl("req", ...newKey, "-passout", "pass:sesame", "-keyout", "client.key", "-out", "client.csr", "-subj", "/CN=someone");
  openssl("x509", "-req", "-in", "client.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out", "client.pem");
  const text = (name: string): string => readFileSync(file(name), "utf8");
  identities = {
    folder, caFile: file("ca.pem"), caPem: text("ca.pem"),
    server: { cert: text("server.pem"), key: text("server.key") },
    client: { kind: "certificate", certPem: text("client.pem"), keyPem: text("client.key"), passphrase: "sesame" },
  };
  return identities;
}
