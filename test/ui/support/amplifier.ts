import * as http from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Stands in front of a real Flink that runs one job and shows it as many: the overview lists as many copies, each with an id and a name of its
 * own, and what is asked about a copy is answered with what Flink says of the real job. Everything else passes as it is. Notes each request.
 */
export class Amplifier {
  readonly #server: http.Server;
  readonly #target: URL;
  readonly #realId: string;
  readonly #count: number;
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #seen: { readonly atMs: number; readonly route: string }[] = [];

  private constructor(target: string, realId: string, count: number) {
    this.#target = new URL(target);
    this.#realId = realId;
    this.#count = count;
    this.#server = http.createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
  }

  static async open(target: string, realId: string, count: number): Promise<Amplifier> {
    const amplifier = new Amplifier(target, realId, count);
    await new Promise<void>((resolve) => amplifier.#server.listen(0, "127.0.0.1", resolve));
    return amplifier;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The id of a copy, counted from 1. */
  static jobId(at: number): string {
    return at.toString(16).padStart(32, "0");
  }

  static jobName(at: number): string {
    return `pipeline ${String(at).padStart(4, "0")}`;
  }

  /** Requests to the REST API (not files of the web UI) that arrived between two moments, epoch milliseconds, by route with ids left out. */
  requests(fromMs: number, toMs: number): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { atMs, route } of this.#seen) {
      if (atMs < fromMs || atMs >= toMs || /\.(js|css|svg|png|ico|html|woff2?|json)$/.test(route) || route === "/") continue;
      const name = route.replaceAll(/[0-9a-f]{32}/g, ":id");
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    this.#agent.destroy();
  }

  #pass(incoming: http.IncomingMessage, outgoing: http.ServerResponse): void {
    const route = incoming.url ?? "/";
    this.#seen.push({ atMs: Date.now(), route: route.split("?")[0] ?? route });
    const copy = /^\/jobs\/(0{20}[0-9a-f]{12})(?=[/?]|$)/.exec(route)?.[1];
    const path = copy === undefined ? route : route.replace(copy, this.#realId);
    const headers = { ...incoming.headers, "host": this.#target.host, "accept-encoding": "identity" };
    const request = http.request({ hostname: this.#target.hostname, port: this.#target.port, method: incoming.method, path, headers, agent: this.#agent }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        const body = this.#amplified(route, copy, Buffer.concat(parts));
        const answered: http.OutgoingHttpHeaders = { ...response.headers, "content-length": String(body.length) };
        delete answered["transfer-encoding"];
        delete answered["connection"];
        outgoing.writeHead(response.statusCode ?? 502, answered).end(body);
      });
    });
    request.on("error", () => outgoing.destroy());
    incoming.pipe(request);
  }

  #amplified(route: string, copy: string | undefined, body: Buffer): Buffer {
    if (copy !== undefined) return Buffer.from(body.toString("utf8").replaceAll(this.#realId, copy));
    if (route.split("?")[0] !== "/jobs/overview") return body;
    const { jobs } = JSON.parse(body.toString("utf8")) as { jobs: readonly { readonly jid: string }[] };
    const real = jobs.find(({ jid }) => jid === this.#realId);
    const copies = real === undefined ? [] : Array.from({ length: this.#count }, (_, index) => ({ ...real, jid: Amplifier.jobId(index + 1), name: Amplifier.jobName(index + 1) }));
    return Buffer.from(JSON.stringify({ jobs: copies }));
  }
}
