import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { uploadName } from "../../src/clients/flink/jarFile";
import { createFlinkClient } from "../../src/clients/flink/restClient";
import { client, serve, steady } from "./httpServers";
import { rejected } from "./rejected";

const folder = await mkdtemp(path.join(tmpdir(), "jar-test-"));
after(() => rm(folder, { recursive: true, force: true }));

/** A zip with one stored entry of the given size, as `jar --create --no-compress` makes it. */
function zip(contentBytes: number, comment = ""): Buffer {
  const name = Buffer.from("a.class");
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt32LE(contentBytes, 18);
  local.writeUInt32LE(contentBytes, 22);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt32LE(contentBytes, 20);
  central.writeUInt32LE(contentBytes, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length + contentBytes, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([local, name, Buffer.alloc(contentBytes, "flink\r\n--"), central, name, end, Buffer.from(comment)]);
}

async function file(name: string, content: Buffer | string): Promise<string> {
  const made = path.join(folder, name);
  await writeFile(made, content);
  return made;
}

test("a jar arrives byte for byte as the one part of the form, with its length and its progress", async (t) => {
  const jar = zip(3_000_000);
  const server = await serve(t, (_, response) => response.writeHead(200, { "content-type": "application/json" }).end('{"filename":"/tmp/flink-web-upload/1234_orders_v2.jar","status":"success"}'));
  const steps: { message: string; percent?: number }[] = [];
  const flink = createFlinkClient(client(t), { name: "test", url: server.origin });
  const jarId = await flink.uploadJar(await file("orders v2.jar", jar), { signal: steady, report: (step) => steps.push(step) });
  assert.equal(jarId, "1234_orders_v2.jar");

  const { headers, body, url } = server.seen[0] ?? assert.fail();
  assert.equal(url, "/jars/upload");
  assert.equal(headers["content-length"], String(body.length));
  const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(headers["content-type"] ?? "")?.[1] ?? assert.fail();
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="jarfile"; filename="orders_v2.jar"\r\nContent-Type: application/x-java-archive\r\n\r\n`;
  assert.equal(body.subarray(0, head.length).toString(), head);
  assert.ok(body.subarray(head.length, head.length + jar.length).equals(jar));
  assert.equal(body.subarray(head.length + jar.length).toString(), `\r\n--${boundary}--\r\n`);

  assert.equal(steps[0]?.message, "Uploading orders v2.jar (2.9 MB)");
  const percents = steps.map((step) => step.percent ?? -1);
  assert.deepEqual(percents, [...new Set(percents)].sort((a, b) => a - b));
  assert.equal(percents.at(-1), 100);
});

test("what is no whole jar is refused before anything is sent", async (t) => {
  const server = await serve(t, (_, response) => response.end("{}"));
  const flink = createFlinkClient(client(t), { name: "test", url: server.origin });
  const run = { signal: steady, report: () => undefined };
  const whole = zip(100_000);
  for (const [name, content] of [["text.jar", "#!/bin/sh\n"], ["empty.jar", ""], ["truncated.jar", whole.subarray(0, 50_000)], ["tail.jar", whole.subarray(60_000)], ["nothing-in-it.jar", Buffer.concat([Buffer.from([0x50, 0x4b, 5, 6]), Buffer.alloc(18)])]] as const) {
    const made = await file(name, content);
    assert.deepEqual((await rejected(flink.uploadJar(made, run), "file-not-a-jar")).facts, { path: made });
  }
  const missing = path.join(folder, "missing.jar");
  assert.deepEqual((await rejected(flink.uploadJar(missing, run), "file-unreadable")).facts, { path: missing, reason: "ENOENT" });
  assert.deepEqual((await rejected(flink.uploadJar(folder, run), "file-unreadable")).facts, { path: folder, reason: "EISDIR" });
  assert.equal(server.seen.length, 0);
});

test("jars with a comment and jars that begin with a script are jars", async (t) => {
  const server = await serve(t, (_, response) => response.end('{"filename":"C:\\\\flink\\\\upload\\\\5678_x.jar"}'));
  const flink = createFlinkClient(client(t), { name: "test", url: server.origin });
  for (const content of [zip(10, "built by hand"), Buffer.concat([Buffer.from("#!/bin/sh\nexec java -jar $0\n"), zip(10)])]) {
    assert.equal(await flink.uploadJar(await file("x.JAR", content), { signal: steady, report: () => undefined }), "5678_x.jar");
  }
});

test("an upload can be aborted, and is then not answered for", async (t) => {
  const server = await serve(t, (_, response) => response.end("{}"));
  const control = new AbortController();
  const flink = createFlinkClient(client(t), { name: "test", url: server.origin });
  const jar = await file("big.jar", zip(20_000_000));
  await assert.rejects(flink.uploadJar(jar, { signal: control.signal, report: ({ percent }) => (percent ?? 0) >= 10 && control.abort() }), { name: "AbortError" });
  assert.equal(server.seen.length, 0);
});

test("a name is brought into a form that every JobManager can store", () => {
  for (const [name, expected] of [["/a/b/job.jar", "job.jar"], ["/a/Job-1.0_x+y.JAR", "Job-1.0_x+y.jar"], ["/a/bö \"x\";\n.jar", "b___x___.jar"], ["/a/assembly.zip", "assembly.zip.jar"], ["/a/.jar", "job.jar"]] as const) {
    assert.equal(uploadName(name), expected);
  }
});
