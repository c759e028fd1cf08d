import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { savepointScript } from "../../src/core/schedule/savepointScript";

const servers: Server[] = [];
after(() => servers.forEach((server) => server.close()));

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("rule 10: the exported program sends its token to the cluster's address, and not to where that redirects", async () => {
  const seen: IncomingHttpHeaders[] = [];
  const elsewhere = await serve((request, response) => {
    seen.push(request.headers);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jobs: [] }));
  });
  const asked: IncomingHttpHeaders[] = [];
  const flink = await serve((request, response) => {
    asked.push(request.headers);
    response.writeHead(302, { location: `${elsewhere}${request.url ?? ""}` }).end();
  });
  const out = await new Promise<string>((resolve, reject) => {
    execFile("python3", ["-c", savepointScript], { env: { ...process.env, FLINK_URL: flink, FLINK_JOB: "orders", FLINK_TOKEN: "hidden" } }, (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(stderr))));
  });
  assert.match(out, /^skipped: 0 jobs named orders/);
  assert.deepEqual([asked.map(({ authorization }) => authorization), seen.map(({ authorization }) => authorization)], [["Bearer hidden"], [undefined]]);
});
