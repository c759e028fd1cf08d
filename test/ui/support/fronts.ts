import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import type { AddressInfo } from "node:net";

/** A server of a test; `close` ends it and its connections. */
export interface Front {
  readonly url: string;
  close(): void;
}

/** Hands everything on to a Flink, but only with user and password (HTTP basic authentication). */
export async function basicAuthFront(flink: string, user: string, password: string): Promise<Front> {
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const target = new URL(flink);
  return listen(http.createServer((incoming, outgoing) => {
    if (incoming.headers.authorization !== wanted) {
      outgoing.writeHead(401, { "www-authenticate": 'Basic realm="Flink"', "content-type": "text/plain" }).end("who are you");
      return;
    }
    const onward = http.request({ host: target.hostname, port: target.port, method: incoming.method, path: incoming.url, headers: { ...incoming.headers, host: target.host } }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  }), "http");
}

/** What stands in the way behind a company's door: a page for people, whatever is asked for. */
export function loginPageFront(title: string): Promise<Front> {
  return listen(http.createServer((_incoming, outgoing) => {
    outgoing.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(`<!doctype html><html><head><title>${title}</title></head><body><form><input name="user"></form></body></html>`);
  }), "http");
}

/** Speaks TLS with the given identity. */
export function tlsFront(identity: https.ServerOptions): Promise<Front> {
  return listen(https.createServer(identity, (_incoming, outgoing) => void outgoing.end("{}")), "https");
}

/** An address where nobody listens. */
export async function deadAddress(): Promise<string> {
  const server = net.createServer();
  const front = await listen(server, "http");
  front.close();
  return front.url;
}

async function listen(server: http.Server | https.Server | net.Server, scheme: "http" | "https"): Promise<Front> {
  await new Promise<void>((resolve) => server.listen(0, scheme === "https" ? "localhost" : "127.0.0.1", resolve));
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://${scheme === "https" ? "localhost" : "127.0.0.1"}:${port}`,
    close: () => {
      if ("closeAllConnections" in server) server.closeAllConnections();
      server.close();
    },
  };
}
