import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { createHttp } from "../../src/clients/http";
import { prepareJars, type JarSources } from "../../src/clients/localFlink/jars";
import { findJava } from "../../src/clients/localFlink/java";
import type { JarList } from "../../src/core/localFlink/jarList";
import type { Log, Run } from "../../src/core/ports";
import { rejected } from "./rejected";

const content = (name: string): Buffer => Buffer.from(`content of ${name} `.repeat(500));
const names = ["a", "b", "c"];
const pathOf = (name: string): string => `org/example/${name}/1.0/${name}-1.0.jar`;
const list: JarList = {
  version: "9.9.9",
  jars: names.map((name) => ({ path: pathOf(name), sizeBytes: content(name).length, sha256: createHash("sha256").update(content(name)).digest("hex") })),
};

let folder: string;
let warnings: string[];
const log: Log = { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: (message) => void warnings.push(message), error: () => undefined };
const http = createHttp({ credentials: { get: () => Promise.resolve([]) }, requestTimeoutMs: () => 5000, log, readCa: () => Promise.resolve("") });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "local-flink-jars-"));
  warnings = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  http.dispose();
});

describe("the jars of a local Flink", () => {
  test("come from the local Maven repository without a copy, and are there at once the second time", async () => {
    await fillRepository(names);
    const jars = await prepareJars(list, sources(), run());
    assert.deepEqual(await contents(jars), names.map(content));
    assert.equal((await stat(jars[0] ?? "")).nlink, 2);
    await rm(path.join(folder, ".m2"), { recursive: true });
    assert.deepEqual(await prepareJars(list, sources(), run()), jars);
    await nothingHalfWritten();
  });

  test("come from the configured repository when the local one lacks them, with progress by size", async () => {
    await fillRepository(["a"]);
    const steps: number[] = [];
    const asked: string[] = [];
    await serving((request, response) => {
      asked.push(request.url ?? "");
      response.end(content(path.basename(request.url ?? "", "-1.0.jar")));
    }, async (url) => {
      await prepareJars(list, sources(`${url}/maven2/`), { signal: new AbortController().signal, report: (step) => steps.push(step.percent ?? -1) });
    });
    assert.deepEqual(asked.sort(), ["/maven2/org/example/b/1.0/b-1.0.jar", "/maven2/org/example/c/1.0/c-1.0.jar"]);
    assert.deepEqual(steps, [0, 33, 66, 100]);
    assert.deepEqual(await contents(await prepareJars(list, sources(), run())), names.map(content));
  });

  test("that are damaged in the local repository are not used, and left alone", async () => {
    await fillRepository(names);
    const damaged = path.join(folder, ".m2", "repository", pathOf("b"));
    await writeFile(damaged, "something else");
    await serving((_request, response) => response.end(content("b")), async (url) => {
      assert.deepEqual(await contents(await prepareJars(list, sources(url), run())), names.map(content));
    });
    assert.equal(await readFile(damaged, "utf8"), "something else");
    assert.match(warnings[0] ?? "", /b-1\.0\.jar is not the released jar/);
  });

  test("that are damaged in the cache are removed and fetched again", async () => {
    await fillRepository(names);
    const [jar = ""] = await prepareJars(list, sources(), run());
    await rm(jar);
    await writeFile(jar, "something else");
    assert.deepEqual(await contents(await prepareJars(list, sources(), run())), names.map(content));
    assert.match(warnings[0] ?? "", /a-1\.0\.jar is damaged/);
    await rm(path.join(folder, ".m2"), { recursive: true });
    await rm(jar);
    await writeFile(jar, "something else");
    await rejected(prepareJars(list, sources(), run()), "local-flink-jars-missing");
    assert.equal(existsSync(jar), false);
  });

  test("that a repository serves with another content are refused, named by their address, and never get their name", async () => {
    for (const wrong of [Buffer.from("something else"), Buffer.concat([content("a"), Buffer.from("more")])]) {
      await serving((_request, response) => response.end(wrong), async (url) => {
        const error = await rejected(prepareJars(list, sources(url), run()), "local-flink-jar-corrupt");
        assert.match(error.facts.file, /^http:\/\/127\.0\.0\.1:\d+\/org\/example\/[abc]\/1\.0\/[abc]-1\.0\.jar$/);
      });
    }
    assert.deepEqual(await readdir(path.join(folder, "cache", "9.9.9", "lib")), []);
    await nothingHalfWritten();
  });

  test("that nobody has are listed, with what was tried", async () => {
    await fillRepository(["b"]);
    const withoutMaven = await rejected(prepareJars(list, sources(), run()), "local-flink-jars-missing");
    assert.deepEqual(withoutMaven.facts, { what: "Flink 9.9.9", missing: ["a-1.0.jar", "c-1.0.jar"], tried: `${folder}/.m2/repository; mvn is not on the PATH` });
    await serving((_request, response) => response.writeHead(404).end(), async (url) => {
      const error = await rejected(prepareJars(list, sources(url), run()), "local-flink-jars-missing");
      assert.match(error.facts.tried, /; http:\/\/127\.0\.0\.1:\d+ \([ac]-1\.0\.jar: HTTP 404\)$/);
    });
    const unreachable = await rejected(prepareJars(list, sources("http://127.0.0.1:9"), run()), "local-flink-jars-missing");
    assert.match(unreachable.facts.tried, /ECONNREFUSED/);
    await nothingHalfWritten();
  });

  test("stop coming when cancelled, and leave nothing behind", async () => {
    const cancel = new AbortController();
    await serving((_request, response) => {
      response.write("content");
      setTimeout(() => cancel.abort(), 20);
    }, async (url) => {
      await assert.rejects(prepareJars(list, sources(url), run(cancel.signal)), { name: "AbortError" });
    });
    assert.deepEqual(await readdir(path.join(folder, "cache", "9.9.9", "lib")), []);
    await nothingHalfWritten();
  });

  test("can be fetched by several at once", async () => {
    await fillRepository(["a"]);
    await serving((request, response) => setTimeout(() => response.end(content(path.basename(request.url ?? "", "-1.0.jar"))), 10), async (url) => {
      const all = await Promise.all(Array.from({ length: 6 }, () => prepareJars(list, sources(url), run())));
      for (const jars of all) assert.deepEqual(await contents(jars), names.map(content));
    });
    await nothingHalfWritten();
  });

  test("are not asked for at an address that is none, or that holds a password", async () => {
    for (const bad of ["repo", "ftp://host/maven2", "file:///maven2", "https://me:secret@host/maven2"]) {
      const error = await rejected(prepareJars(list, sources(bad), run()), "setting-invalid");
      assert.doesNotMatch(JSON.stringify(error.facts), /secret/);
    }
  });

  test("half-fetched by a process that was killed are tidied away after a day", async () => {
    await fillRepository(names);
    const part = path.join(folder, "cache", "9.9.9", "part-old");
    await mkdir(part, { recursive: true });
    await utimes(part, new Date(0), new Date(0));
    await prepareJars(list, sources(), run());
    assert.equal(existsSync(part), false);
  });
});

describe("the Java of a local Flink", () => {
  test("is the configured one, else JAVA_HOME's, else the one on the PATH, and the first that is new enough", async () => {
    const [eight, eleven, next] = [await fakeJava('java version "1.8.0_392"'), await fakeJava('openjdk version "11.0.2"'), await fakeJava('openjdk version "25"')];
    const PATH = `${path.join(next, "bin")}:/bin:/usr/bin`;
    const { signal } = new AbortController();
    assert.deepEqual(await findJava(eleven, { JAVA_HOME: next, PATH }, signal), { executable: path.join(eleven, "bin", "java"), major: 11 });
    assert.equal((await findJava("", { JAVA_HOME: eleven, PATH }, signal)).major, 11);
    assert.deepEqual(await findJava("", { JAVA_HOME: eight, PATH }, signal), { executable: "java", major: 25 });
    assert.equal((await findJava("", { PATH }, signal)).major, 25);
  });

  test("is missed with what was found, or where it was looked for", async () => {
    const eight = await fakeJava('java version "1.8.0_392"');
    const { signal } = new AbortController();
    assert.deepEqual((await rejected(findJava(eight, {}, signal), "local-flink-java-missing")).facts, { looked: eight, found: "Java 8" });
    assert.deepEqual((await rejected(findJava("", { JAVA_HOME: eight, PATH: folder }, signal), "local-flink-java-missing")).facts, { looked: `JAVA_HOME (${eight})`, found: "Java 8" });
    assert.deepEqual((await rejected(findJava("", { JAVA_HOME: "/nowhere", PATH: folder }, signal), "local-flink-java-missing")).facts, { looked: "JAVA_HOME (/nowhere), PATH", found: null });
    const notJava = await fakeJava("hello");
    assert.deepEqual((await rejected(findJava(notJava, {}, signal), "local-flink-java-missing")).facts, { looked: notJava, found: null });
  });
});

/** Old Javas cannot be installed everywhere: a program that answers `java -version` as one does. */
async function fakeJava(says: string): Promise<string> {
  const home = await mkdtemp(path.join(folder, "java-"));
  await mkdir(path.join(home, "bin"));
  await writeFile(path.join(home, "bin", "java"), `#!/bin/sh\necho '${says}' >&2\n`);
  await chmod(path.join(home, "bin", "java"), 0o755);
  return home;
}

function sources(mavenRepository = ""): JarSources {
  return { cacheFolder: path.join(folder, "cache"), mavenRepository, homeFolder: folder, env: { PATH: path.join(folder, "no-programs") }, http, log };
}

function run(signal: AbortSignal = new AbortController().signal): Run {
  return { signal, report: () => undefined };
}

async function fillRepository(which: readonly string[]): Promise<void> {
  for (const name of which) {
    const file = path.join(folder, ".m2", "repository", pathOf(name));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content(name));
  }
}

async function serving(listener: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function contents(files: readonly string[]): Promise<Buffer[]> {
  return Promise.all(files.map((file) => readFile(file)));
}

async function nothingHalfWritten(): Promise<void> {
  assert.deepEqual(await readdir(path.join(folder, "cache", "9.9.9")), ["lib"]);
}
