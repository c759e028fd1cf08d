import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, test } from "node:test";
import type { Credential } from "../../src/core/ports";
import { client, serve, serveRaw, steady, testIdentities } from "./httpServers";
import { rejected } from "./rejected";

const basic: Credential = { kind: "basic", user: "ada", password: "Pässwort:1" };
const bearer: Credential = { kind: "bearer", token: "tok-4711" };

test("a request carries the credential of its own origin, asked for by exactly that origin", async (t) => {
  const server = await serve(t, (_, response) => response.end("{}"));
  const asked: string[] = [];
  const http = client(t, { credentials: (origin) => (asked.push(origin), origin === server.origin ? [basic] : [bearer]) });
  await http.send({ method: "GET", url: `${server.origin}/prefix/config?x=1` }, steady);
  assert.deepEqual(asked, [server.origin]);
  assert.equal(server.seen[0]?.headers.authorization, `Basic ${Buffer.from("ada:Pässwort:1").toString("base64")}`);
  assert.equal(server.seen[0]?.url, "/prefix/config?x=1");
});

test("a token wins over a password, and one that no header can carry is refused without being shown", async (t) => {
  const server = await serve(t, (_, response) => response.end("{}"));
  await client(t, { credentials: () => [basic, { kind: "bearer", token: " tok-4711\n" }] }).send({ method: "GET", url: server.origin }, steady);
  assert.equal(server.seen[0]?.headers.authorization, "Bearer tok-4711");
  const broken = client(t, { credentials: () => [{ kind: "bearer", token: "se\ncret" }] });
  const error = await rejected(broken.send({ method: "GET", url: server.origin }, steady), "setting-invalid");
  assert.doesNotMatch(JSON.stringify([error.facts, broken.lines]), /cret/);
});

test("JSON is sent as Flink's own client sends it, with a length and without Expect", async (t) => {
  const server = await serve(t, (_, response) => response.writeHead(202, { "content-type": "application/json; charset=UTF-8" }).end('{"request-id":"1"}'));
  const answer = await client(t).send({ method: "POST", url: `${server.origin}/jobs/1/savepoints`, json: { drain: false, name: "ü" } }, steady);
  assert.equal(answer.status, 202);
  assert.equal(answer.contentType, "application/json");
  assert.equal(answer.body.toString(), '{"request-id":"1"}');
  const { headers, body } = server.seen[0] ?? assert.fail();
  assert.equal(body.toString(), '{"drain":false,"name":"ü"}');
  assert.equal(headers["content-type"], "application/json; charset=UTF-8");
  assert.equal(headers["content-length"], String(body.length));
  assert.equal(headers["expect"], undefined);
  assert.equal(headers["transfer-encoding"], undefined);
});

test("no log line and no error holds a credential or a query", async (t) => {
  const server = await serve(t, (request, response) => response.writeHead(request.url.startsWith("/ok") ? 200 : 401).end("{}"));
  const http = client(t, { credentials: () => [basic, bearer] });
  await http.send({ method: "GET", url: `${server.origin}/ok?token=hidden` }, steady);
  const refused = await rejected(http.send({ method: "POST", url: `${server.origin}/no?token=hidden`, json: {} }, steady), "unauthorized");
  assert.deepEqual(refused.facts, { url: `${server.origin}/no`, status: 401 });
  assert.equal(http.lines.length, 2);
  assert.match(http.lines[0] ?? "", /^GET \/ok 200, 2 bytes in \d+ ms$/);
  assert.match(http.lines[1] ?? "", /^POST \/no unauthorized in \d+ ms$/);
  assert.doesNotMatch(JSON.stringify([http.lines, refused, refused.stack]), /hidden|4711|wort|YWRh/);
});

test("401 and 403 are unauthorized", async (t) => {
  const server = await serve(t, (request, response) => response.writeHead(Number(request.url.slice(1))).end("<html>no</html>"));
  for (const status of [401, 403]) {
    assert.equal((await rejected(client(t).send({ method: "GET", url: `${server.origin}/${status}` }, steady), "unauthorized")).facts.status, status);
  }
});

test("nothing listens: unreachable, with the network's code", async (t) => {
  for (const method of ["GET", "POST"] as const) {
    const error = await rejected(client(t).send({ method, url: "http://localhost:9/x" }, steady), "cluster-unreachable");
    assert.deepEqual(error.facts, { url: "http://localhost:9/x", reason: "ECONNREFUSED" });
  }
  const unknown = await rejected(client(t).send({ method: "GET", url: "http://no-such-host.invalid/x" }, steady), "cluster-unreachable");
  assert.match(unknown.facts.reason, /^(ENOTFOUND|EAI_AGAIN)$/);
});

test("a request that only reads and breaks is unreachable, one that acts has lost its answer", async (t) => {
  const breaks: Record<string, (response: ServerResponse) => void> = {
    "reset before the head": (response) => response.destroy(),
    "cut in the body": (response) => {
      response.writeHead(200, { "content-length": 100 }).write("{\"half\":");
      setTimeout(() => response.destroy(), 10);
    },
    "chunks without an end": (response) => {
      response.writeHead(200).write("{");
      setTimeout(() => response.destroy(), 10);
    },
  };
  for (const [name, act] of Object.entries(breaks)) {
    const server = await serve(t, (_, response) => act(response));
    const read = await rejected(client(t).send({ method: "GET", url: server.origin }, steady), "cluster-unreachable");
    assert.equal(read.facts.reason, "ECONNRESET", name);
    for (const method of ["POST", "PATCH", "DELETE"] as const) {
      const acted = await rejected(client(t).send({ method, url: server.origin }, steady), "answer-lost");
      assert.equal(acted.facts.reason, "ECONNRESET", name);
    }
    assert.equal(server.seen.length, 4, `${name}: nothing is sent twice`);
  }
});

describe("time", { concurrency: true }, () => {
  test("silence is no answer for a read and a lost answer for an act", async (t) => {
    const server = await serve(t, () => undefined);
    const http = client(t, { timeoutMs: 500 });
    const [read, acted] = await Promise.all([
      rejected(http.send({ method: "GET", url: server.origin }, steady), "no-answer"),
      rejected(http.send({ method: "POST", url: server.origin, json: {} }, steady), "answer-lost"),
    ]);
    assert.deepEqual(read.facts, { url: `${server.origin}/`, afterMs: 500 });
    assert.equal(acted.facts.reason, "timeout");
  });

  test("a server that accepts and never shakes hands was not reached, whatever was asked", async (t) => {
    const server = await serveRaw(t, () => undefined);
    const ask = (method: "GET" | "POST") => rejected(client(t, { timeoutMs: 300 }).send({ method, url: server.origin.replace("http:", "https:") }, steady), "cluster-unreachable");
    for (const error of await Promise.all([ask("GET"), ask("POST")])) assert.equal(error.facts.reason, "ETIMEDOUT");
  });

  test("a body that stalls is given up, one that trickles is read to its end", async (t) => {
    const server = await serve(t, (request, response) => {
      response.writeHead(200).write("[");
      if (request.url === "/stall") return;
      const parts = ["1", ",2", ",3", ",4", "]"];
      const timer = setInterval(() => {
        const part = parts.shift();
        if (part !== undefined) return response.write(part);
        clearInterval(timer);
        return response.end();
      }, 200);
    });
    const http = client(t, { timeoutMs: 700 });
    const stalled = rejected(http.send({ method: "GET", url: `${server.origin}/stall` }, steady), "no-answer");
    const answer = await http.send({ method: "GET", url: `${server.origin}/trickle` }, steady);
    assert.equal(answer.body.toString(), "[1,2,3,4]");
    await stalled;
  });

  test("a body that trickles for ever is given up after ten time-outs", async (t) => {
    const server = await serve(t, (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write("[");
      const timer = setInterval(() => response.write(" "), 40);
      response.on("close", () => clearInterval(timer));
    });
    const startMs = Date.now();
    await rejected(client(t, { timeoutMs: 150 }).send({ method: "GET", url: server.origin }, AbortSignal.timeout(10_000)), "no-answer");
    assert.ok(Date.now() - startMs >= 1_500);
  });

  test("a call that may think as long as it likes is waited for, but its body is watched again", async (t) => {
    const server = await serve(t, (request, response) => setTimeout(() => (request.url === "/stall" ? response.writeHead(200).write("{") : response.end("{}")), 900));
    const http = client(t, { timeoutMs: 400 });
    const stalled = rejected(http.send({ method: "POST", url: `${server.origin}/stall`, json: {}, headTimeout: "none" }, steady), "answer-lost");
    assert.equal((await http.send({ method: "POST", url: server.origin, json: {}, headTimeout: "none" }, steady)).status, 200);
    assert.equal((await stalled).facts.reason, "timeout");
  });
});

test("aborting ends a request with the signal's reason, before it is sent, while waiting and while reading", async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === "/body") response.writeHead(200).write("[");
  });
  const aborted = AbortSignal.abort();
  await assert.rejects(client(t).send({ method: "GET", url: server.origin }, aborted), (error) => error === aborted.reason);
  assert.equal(server.seen.length, 0);
  for (const where of ["/head", "/body"]) {
    const control = new AbortController();
    const call = client(t).send({ method: "POST", url: `${server.origin}${where}` }, control.signal);
    setTimeout(() => control.abort(), 30);
    await assert.rejects(call, { name: "AbortError" });
  }
});

test("an answer above the limit is not read, whether it says its length or not", async (t) => {
  let written = 0;
  const server = await serve(t, (request, response) => {
    if (request.url === "/said") return response.writeHead(200, { "content-length": 5_000_000 }).end(Buffer.alloc(5_000_000, 32));
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && written < 50_000_000) {
        written += 65_536;
        if (!response.write(Buffer.alloc(65_536, 32))) return void response.once("drain", more);
      }
    };
    return more();
  });
  const http = client(t);
  for (const where of ["/said", "/unsaid"]) {
    const error = await rejected(http.send({ method: "GET", url: `${server.origin}${where}`, limitBytes: 1_000_000 }, steady), "reply-too-large");
    assert.deepEqual(error.facts, { url: `${server.origin}${where}`, limitBytes: 1_000_000 });
  }
  assert.ok(written < 40_000_000, `the server could write ${written} bytes`);
  assert.equal((await rejected(http.send({ method: "POST", url: `${server.origin}/said`, limitBytes: 1_000_000 }, steady), "answer-lost")).facts.reason, "reply-too-large");
});

test("of a 10 MB page only the beginning is read", async (t) => {
  const page = Buffer.concat([Buffer.from("<html><title>Big</title>"), Buffer.alloc(10_000_000, 65)]);
  const server = await serve(t, (_, response) => response.writeHead(200, { "content-type": "Text/HTML; charset=utf-8" }).end(page));
  const answer = await client(t).send({ method: "GET", url: server.origin }, steady);
  assert.equal(answer.contentType, "text/html");
  assert.equal(answer.body.length, 64 * 1024);
  assert.match(answer.body.toString(), /^<html><title>Big/);
});

test("a large answer within the limit arrives whole", async (t) => {
  const body = Buffer.alloc(20_000_000, "0123456789abcdef");
  const server = await serve(t, (_, response) => response.end(body));
  assert.ok((await client(t).send({ method: "GET", url: server.origin }, steady)).body.equals(body));
});

test("reads share a connection, acts have one each, and nothing is sent twice", async (t) => {
  const server = await serve(t, (_, response) => response.end("{}"));
  const http = client(t);
  for (let i = 0; i < 3; i++) await http.send({ method: "GET", url: server.origin }, steady);
  assert.equal(server.connections(), 1);
  for (const method of ["POST", "PATCH", "DELETE"] as const) await http.send({ method, url: server.origin }, steady);
  assert.equal(server.connections(), 4);
  assert.equal(server.seen.length, 6);
});

test("a connection that the server closed while it idled: a read is asked again, an act is not", async (t) => {
  const requests: string[] = [];
  // Answers the first request of each connection and drops the connection at the second, as a server does whose idle time is over.
  const server = await serveRaw(t, (socket) => {
    let served = 0;
    socket.on("data", (data) => {
      requests.push(data.toString().split(" ")[0] ?? "");
      if (++served > 1) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    });
  });
  const http = client(t);
  assert.equal((await http.send({ method: "GET", url: server.origin }, steady)).status, 200);
  assert.equal((await http.send({ method: "GET", url: server.origin }, steady)).status, 200);
  assert.deepEqual(requests, ["GET", "GET", "GET"]);
  assert.equal((await http.send({ method: "POST", url: server.origin, json: {} }, steady)).status, 200);
  assert.deepEqual(requests, ["GET", "GET", "GET", "POST"]);
});

test("what does not speak HTTP is not Flink, and what speaks TLS is told apart", async (t) => {
  const garbage = await serveRaw(t, (socket) => socket.end("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"));
  const error = await rejected(client(t).send({ method: "GET", url: garbage.origin }, steady), "not-flink");
  assert.deepEqual(error.facts, { url: `${garbage.origin}/`, status: 0, contentType: "", title: null });
  assert.match((await rejected(client(t).send({ method: "POST", url: garbage.origin, json: {} }, steady), "answer-lost")).facts.reason, /^HPE_/);
  const alert = await serveRaw(t, (socket) => socket.end(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46])));
  await rejected(client(t).send({ method: "GET", url: alert.origin }, steady), "tls-expected");
});

test("a server that ends in the middle of its head was not understood", async (t) => {
  const server = await serveRaw(t, (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-le"));
  const error = await rejected(client(t).send({ method: "GET", url: server.origin }, steady), "cluster-unreachable");
  assert.equal(error.facts.reason, "ECONNRESET");
});

test("a server that closes its half after the answer is read like any other", async (t) => {
  const server = await serveRaw(t, (socket) => socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"a\":1}")));
  assert.equal((await client(t).send({ method: "GET", url: server.origin }, steady)).body.toString(), '{"a":1}');
});

test("redirects of a read within the origin are followed three times, others never", async (t) => {
  const other = await serve(t, (_, response) => response.end("{}"));
  const server = await serve(t, (request, response) => {
    const hop = /^\/hop(\d)$/.exec(request.url)?.[1];
    if (hop !== undefined) return response.writeHead(302, { location: hop === "0" ? "/end" : `hop${Number(hop) - 1}` }).end();
    if (request.url === "/away") return response.writeHead(307, { location: `${other.origin}/jobs?session=hidden` }).end();
    if (request.url === "/nowhere") return response.writeHead(308).end('{"errors":["x"]}');
    if (request.url === "/strange") return response.writeHead(302, { location: "javascript:alert(1)" }).end();
    return response.end("{}");
  });
  const http = client(t, { credentials: () => [basic] });
  assert.equal((await http.send({ method: "GET", url: `${server.origin}/hop2` }, steady)).url, `${server.origin}/end`);
  assert.deepEqual((await rejected(http.send({ method: "GET", url: `${server.origin}/hop3` }, steady), "redirected")).facts, { url: `${server.origin}/hop0`, status: 302, target: `${server.origin}/end` });
  for (const method of ["POST", "PATCH", "DELETE"] as const) {
    server.seen.length = 0;
    const error = await rejected(http.send({ method, url: `${server.origin}/hop0` }, steady), "redirected");
    assert.deepEqual(error.facts, { url: `${server.origin}/hop0`, status: 302, target: `${server.origin}/end` });
    assert.equal(server.seen.length, 1);
  }
  for (const method of ["GET", "POST"] as const) {
    const away = await rejected(http.send({ method, url: `${server.origin}/away` }, steady), "redirected");
    assert.deepEqual(away.facts, { url: `${server.origin}/away`, status: 307, target: `${other.origin}/jobs` });
  }
  assert.equal(other.seen.length, 0, "another origin sees neither request nor credential");
  for (const where of ["/nowhere", "/strange"]) {
    assert.equal((await rejected(http.send({ method: "GET", url: `${server.origin}${where}` }, steady), "redirected")).facts.target, null);
  }
});

test("a redirect to a login page of the same origin means that credentials are missing", async (t) => {
  const server = await serve(t, (request, response) => response.writeHead(302, { location: request.url.includes("/auth/") ? "/gateway/auth/flink/config/" : "/oauth2/sign_in?rd=%2Fconfig" }).end());
  for (const method of ["GET", "POST"] as const) {
    const error = await rejected(client(t).send({ method, url: `${server.origin}/config` }, steady), "unauthorized");
    assert.deepEqual(error.facts, { url: `${server.origin}/config`, status: 302 });
  }
  // A prefix that only sounds like a login page is none.
  await rejected(client(t).send({ method: "GET", url: `${server.origin}/gateway/auth/flink/config` }, steady), "redirected");
});

test("plain http to a TLS port: Flink's redirect, nginx' page and a server that hangs up", async (t) => {
  const flink = await serve(t, (request, response) => response.writeHead(301, { location: `https://other-name:${new URL(`http://${request.headers.host}`).port}${request.url}` }).end());
  const nginx = await serve(t, (_, response) => response.writeHead(400, { "content-type": "text/html" }).end("<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"));
  for (const server of [flink, nginx]) {
    for (const method of ["GET", "POST"] as const) {
      const error = await rejected(client(t).send({ method, url: `${server.origin}/config` }, steady), "tls-expected");
      assert.deepEqual(error.facts, { url: `${server.origin}/config` });
    }
  }
  const silent = await serve(t, (_, response) => response.end("{}"), testIdentities().server);
  assert.equal((await rejected(client(t).send({ method: "GET", url: silent.origin.replace("https:", "http:") }, steady), "cluster-unreachable")).facts.reason, "ECONNRESET");
});

test("a body is streamed with its length, and told how far it is", async (t) => {
  const server = await serve(t, (_, response) => response.end("{}"));
  const piece = Buffer.alloc(300_000, "flink");
  const sent: number[] = [];
  await client(t).send({
    method: "POST", url: server.origin,
    stream: { contentType: "application/x-test", lengthBytes: 1_200_000, chunks: async function* () { for (let i = 0; i < 4; i++) yield piece; }, onSent: (bytes) => sent.push(bytes) },
  }, steady);
  const { headers, body } = server.seen[0] ?? assert.fail();
  assert.equal(headers["content-length"], "1200000");
  assert.equal(headers["content-type"], "application/x-test");
  assert.equal(headers["transfer-encoding"], undefined);
  assert.equal(headers["expect"], undefined);
  assert.ok(body.equals(Buffer.concat([piece, piece, piece, piece])));
  assert.deepEqual(sent, [300_000, 600_000, 900_000, 1_200_000]);
});

test("a source that fails or is too short ends the request with its own error", async (t) => {
  const server = await serve(t, (_, response) => response.end("{}"));
  const broken = new Error("disk gone");
  const stream = (lengthBytes: number, fail: boolean) => ({
    contentType: "x/y", lengthBytes,
    chunks: async function* () {
      yield Buffer.alloc(10);
      if (fail) throw broken;
    },
  });
  await assert.rejects(client(t).send({ method: "POST", url: server.origin, stream: stream(20, true) }, steady), broken);
  await assert.rejects(client(t).send({ method: "POST", url: server.origin, stream: stream(20, false) }, steady), /10 instead of 20 bytes/);
  await assert.rejects(client(t).send({ method: "POST", url: server.origin, stream: stream(5, false) }, steady), /10 instead of 5 bytes/);
  assert.equal(server.seen.length, 0);
});

test("an upload that breaks before its last byte did not arrive; one that is refused early says why", async (t) => {
  const reset = await serveRaw(t, (socket) => socket.once("data", () => socket.resetAndDestroy()));
  const endless = () => ({ contentType: "x/y", lengthBytes: 1_000_000_000, chunks: async function* () { for (;;) yield Buffer.alloc(100_000); } });
  assert.match((await rejected(client(t).send({ method: "POST", url: reset.origin, stream: endless() }, steady), "cluster-unreachable")).facts.reason, /^(ECONNRESET|EPIPE)$/);
  const swallowing = await serve(t, (_, response) => response.destroy());
  const whole = { contentType: "x/y", lengthBytes: 10, chunks: async function* () { yield Buffer.alloc(10); } };
  await rejected(client(t).send({ method: "POST", url: swallowing.origin, stream: whole }, steady), "answer-lost");
  const refusing = await serveRaw(t, (socket) => {
    socket.once("data", () => socket.write("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"));
    socket.resume();
  });
  assert.equal((await client(t).send({ method: "POST", url: refusing.origin, stream: endless() }, steady)).status, 413);
  const stuck = await serveRaw(t, (socket) => socket.pause());
  assert.equal((await rejected(client(t, { timeoutMs: 400 }).send({ method: "POST", url: stuck.origin, stream: endless() }, steady), "no-answer")).facts.afterMs, 400);
});
