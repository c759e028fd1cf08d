import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A request as the proxy saw it. */
export interface Passing {
  readonly method: string;
  /** Path and query. */
  readonly route: string;
  readonly body: string;
  /** Flink's status, once it has answered. */
  status: number | undefined;
}

/** What becomes of a request; everything absent is as without a proxy. */
export interface Fate {
  /** False: Flink never gets it, and the sender's connection breaks. */
  readonly forward?: boolean;
  /** Flink gets it this much later, milliseconds; the sender's connection breaks at once. */
  readonly lateMs?: number;
  /** Called when Flink has answered and nothing of that has gone back yet. */
  readonly answered?: () => void;
  /** `cut`: Flink's answer is thrown away and the connection breaks; a number: the sender gets that status with a gateway's page instead. */
  readonly answer?: "cut" | number;
  /** Called when the answer has been handed to the sender's connection. */
  readonly relayed?: () => void;
}

/** Stands between the services and Flink, and loses on demand what a network loses. */
export class FaultyProxy {
  readonly #server: http.Server;
  readonly #target: URL;
  readonly #agent = new http.Agent({ keepAlive: false });
  readonly #seen: Passing[] = [];
  /** Decides about each request whose last byte has arrived here. */
  fate: (request: Passing) => Fate | undefined = () => undefined;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = http.createServer((incoming, outgoing) => {
      this.#handle(incoming, outgoing).catch(() => incoming.socket.destroy());
    });
  }

  static async open(target: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    proxy.#server.unref();
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Everything that arrived, oldest first. */
  get seen(): readonly Passing[] {
    return this.#seen;
  }

  /** Requests of a method whose route matches. */
  sent(method: string, route: RegExp): readonly Passing[] {
    return this.#seen.filter((request) => request.method === method && route.test(request.route));
  }

  /** As without a proxy again. */
  calm(): void {
    this.fate = () => undefined;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    this.#agent.destroy();
  }

  async #handle(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
    const body = Buffer.concat(parts);
    const request: Passing = { method: incoming.method ?? "", route: incoming.url ?? "", body: body.length > 65_536 ? "" : body.toString("utf8"), status: undefined };
    this.#seen.push(request);
    const fate = this.fate(request) ?? {};
    if (fate.forward === false || fate.lateMs !== undefined) incoming.socket.resetAndDestroy();
    if (fate.forward === false) return;
    await sleep(fate.lateMs ?? 0);
    const answer = await this.#forward(incoming, body);
    request.status = answer.status;
    fate.answered?.();
    if (fate.answer === "cut") incoming.socket.resetAndDestroy();
    else if (typeof fate.answer === "number") outgoing.writeHead(fate.answer, { "content-type": "text/html" }).end("<html><head><title>Gateway</title></head></html>");
    else outgoing.writeHead(answer.status, answer.headers).end(answer.body, () => fate.relayed?.());
  }

  #forward(incoming: http.IncomingMessage, body: Buffer): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#target;
      const headers = { ...incoming.headers, "host": this.#target.host, "connection": "close", ...(body.length > 0 ? { "content-length": String(body.length) } : {}) };
      delete headers["transfer-encoding"];
      const request = http.request({ hostname, port, method: incoming.method, path: incoming.url, headers, agent: this.#agent }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const answered = { ...response.headers };
          delete answered["transfer-encoding"];
          delete answered["connection"];
          resolve({ status: response.statusCode ?? 0, headers: answered, body: Buffer.concat(parts) });
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  }
}
