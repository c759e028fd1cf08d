import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { freePortFrom } from "../../src/clients/localFlink/freePort";
import { StateFile } from "../../src/clients/localFlink/stateFile";
import { thisProcess } from "../../src/clients/processIdentity";
import { isFlinkError } from "../../src/core/errors";
import { configurationFile, configurationOf } from "../../src/core/localFlink/configuration";
import { downloadedJar, jarListSchema, jarName, localRepository, mavenFailure, pomFor } from "../../src/core/localFlink/jarList";
import { javaArguments, markerOf, parseJavaVersion } from "../../src/core/localFlink/java";
import { judge, lastWords, localFlinkStateSchema, lostItsPort, parseProcesses, type LocalFlinkState } from "../../src/core/localFlink/state";
import { localFlinkVersions } from "../../src/core/settings";

const hash = "0".repeat(64);
const listed = (file: string) => ({ path: file, sizeBytes: 1, sha256: hash });

test("there is a jar list for each version that is offered, and for no other, and each can be read", async () => {
  const names = (await readdir("media/flink")).map((name) => name.replace(/\.json$/, ""));
  assert.deepEqual(names.sort(), [...localFlinkVersions].sort());
  for (const version of localFlinkVersions) {
    const list = jarListSchema.parse(JSON.parse(await readFile(`media/flink/${version}.json`, "utf8")));
    assert.equal(list.version, version);
    assert.equal(new Set(list.jars.map(jarName)).size, list.jars.length);
    for (const wanted of ["flink-clients", "flink-runtime-web", "flink-runtime", "log4j-core", "log4j-slf4j-impl"]) {
      assert.ok(list.jars.some((jar) => jarName(jar).startsWith(`${wanted}-`)), `${version} lacks ${wanted}`);
    }
  }
});

test("a jar list cannot lead out of the repository it names", () => {
  for (const bad of ["../../etc/passwd.jar", "a/b/../../../c.jar", "/a/b/c/d.jar", "a/b/c/d.txt", "https://host/a/b/c.jar"]) {
    assert.equal(jarListSchema.safeParse({ version: "1", jars: [listed(bad)] }).success, false, bad);
  }
});

test("the project for Maven names each jar by its coordinates, classifier included, and nothing they depend on", () => {
  const pom = pomFor([listed("org/apache/flink/flink-core/2.2.1/flink-core-2.2.1.jar"), listed("io/netty/netty/4.1/netty-4.1-linux-x86_64.jar")]);
  assert.match(pom, /<groupId>org\.apache\.flink<\/groupId><artifactId>flink-core<\/artifactId><version>2\.2\.1<\/version><exclusions>/);
  assert.match(pom, /<groupId>io\.netty<\/groupId><artifactId>netty<\/artifactId><version>4\.1<\/version><classifier>linux-x86_64<\/classifier>/);
  assert.equal(pom.match(/<exclusion><groupId>\*<\/groupId><artifactId>\*<\/artifactId><\/exclusion>/g)?.length, 2);
});

test("progress and failure are read from Maven's output, without passwords", () => {
  assert.equal(downloadedJar("Downloaded from central: https://repo.example/maven2/org/x/flink-core-2.2.1.jar (4.2 MB at 12 MB/s)"), "flink-core-2.2.1.jar");
  assert.equal(downloadedJar("[INFO] Downloaded from corp-mirror: http://corp/x/y-1.jar (4.2 MB at 12 MB/s)"), "y-1.jar");
  assert.equal(downloadedJar("Downloading from central: https://repo.example/maven2/org/x/flink-core-2.2.1.jar"), undefined);
  assert.equal(downloadedJar("Downloaded from central: https://repo.example/maven2/org/x/flink-core-2.2.1.pom (1 kB at 1 kB/s)"), undefined);
  const failure = mavenFailure("\n[WARNING] careful\n[ERROR] Could not transfer x from corp (https://me:secret@corp/maven): refused\n[ERROR] more");
  assert.equal(failure, "Could not transfer x from corp (https://corp/maven): refused");
  assert.equal(mavenFailure("  \n"), undefined);
});

test("the local Maven repository is the option's, else the settings', else the one in the home folder", () => {
  const settings = "<settings><!-- <localRepository>/wrong</localRepository> --><localRepository> ${user.home}/${env.WHERE}/repo </localRepository></settings>";
  assert.equal(localRepository("", "/home/me", {}), "/home/me/.m2/repository");
  assert.equal(localRepository("<settings><!-- <localRepository>/wrong</localRepository> --></settings>", "/home/me", {}), "/home/me/.m2/repository");
  assert.equal(localRepository(settings, "/home/me", { WHERE: "big" }), "/home/me/big/repo");
  assert.equal(localRepository(settings, "/home/me", { MAVEN_OPTS: "-Xmx1g -Dmaven.repo.local=/fast/repo -q" }), "/fast/repo");
  assert.equal(localRepository(settings, "/home/me", { MAVEN_ARGS: '-Dmaven.repo.local="/with space/repo"' }), "/with space/repo");
});

test("Java's version is read from what every vendor prints", () => {
  assert.equal(parseJavaVersion('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment'), 17);
  assert.equal(parseJavaVersion('java version "1.8.0_392"'), 8);
  assert.equal(parseJavaVersion('openjdk version "25" 2025-09-16'), 25);
  assert.equal(parseJavaVersion('Picked up JAVA_TOOL_OPTIONS: -Dx\nopenjdk version "11.0.2-ea" 2019'), 11);
  assert.equal(parseJavaVersion("The operation couldn't be completed. Unable to locate a Java Runtime."), undefined);
});

test("the configuration has the version's own keys, everything on localhost, and extra keys win", () => {
  const facts = { restPort: 8081, rpcPort: 40000, dataFolder: "/data/a b", extra: { "web.refresh-interval": "100", "web.access-control-allow-origin": "" } };
  const old = configurationOf({ ...facts, version: "1.19.3" });
  const now = configurationOf({ ...facts, version: "1.20.5" });
  assert.equal(old["state.savepoints.dir"], "file:///data/a b/savepoints");
  assert.equal(now["execution.checkpointing.savepoint-dir"], "file:///data/a b/savepoints");
  assert.equal("state.savepoints.dir" in now, false);
  for (const key of ["rest.bind-address", "jobmanager.bind-host", "taskmanager.bind-host"]) assert.equal(now[key], "localhost");
  assert.equal(now["web.refresh-interval"], "100");
  assert.equal("web.access-control-allow-origin" in now, false);
  assert.equal(configurationOf({ ...facts, extra: {}, version: "2.3.0" })["web.access-control-allow-origin"], "http://localhost:8081");
});

test("the configuration file is quoted YAML from 1.19 on, and before that holds no value it would misread", () => {
  assert.deepEqual(configurationFile("2.3.0", { a: 'x # "y"' }), { name: "config.yaml", text: 'a: "x # \\"y\\""\n' });
  assert.equal(configurationFile("1.19.3", { a: "x" }).name, "config.yaml");
  assert.deepEqual(configurationFile("1.18.1", { a: "x: y" }), { name: "flink-conf.yaml", text: "a: x: y\n" });
  assert.throws(() => configurationFile("1.18.1", { a: "file:///x#y" }), (error) => isFlinkError(error, "location-invalid"));
});

test("a JVM carries its marks, its role's main class and exactly the listed jars", () => {
  const args = javaArguments({ role: "taskManager", instance: "i-1", jars: ["/l/a.jar", "/l/b.jar"], configFolder: "/c", tempFolder: "/t", logFolder: "/g", pathSeparator: ":" });
  assert.equal(args[0], markerOf("i-1"));
  assert.equal(args[args.indexOf("-cp") + 1], "/l/a.jar:/l/b.jar");
  assert.deepEqual(args.slice(-3), ["org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "--configDir", "/c"]);
  assert.ok(args.includes("-Dlog.file=/g/taskmanager.log"));
});

test("what was found follows from the written state and from who lives", () => {
  const signs = (text: string) => ({ jobManagerAlive: text.includes("jm"), ownerAlive: text.includes("owner"), mine: false, logFile: "/log" });
  const cases: [LocalFlinkState["phase"], boolean, string, string][] = [
    ["starting", false, "owner", "starting"],
    ["starting", false, "owner jm", "starting"],
    ["starting", false, "jm", "left-over"],
    ["starting", false, "", "none"],
    ["running", false, "owner jm", "running"],
    ["running", false, "jm", "left-over"],
    ["running", true, "jm", "running"],
    ["running", true, "", "none"],
    ["running", false, "owner", "none"],
    ["stopping", false, "owner jm", "none"],
    ["stopped", false, "owner jm", "none"],
  ];
  for (const [phase, keep, who, expected] of cases) assert.equal(judge(state({ phase, keep }), signs(who)).state, expected, `${phase} ${keep} ${who}`);
  assert.equal(judge(undefined, signs("")).state, "none");
  const found = judge(state({ phase: "running" }), signs("owner jm"));
  assert.ok(found.state === "running");
  assert.deepEqual([found.flink.url, found.flink.savepointDirectory], ["http://localhost:19200", "file:/data/savepoints"]);
});

test("the last words of a log end with the deepest cause", () => {
  const log = "10:00 ERROR Fatal error\njava.lang.RuntimeException: outer\n\tat x.Y.z(Y.java:1)\nCaused by: java.net.BindException: Address already in use\n\tat a.B.c(B.java:2)\n\t... 12 more\n\n";
  assert.equal(lastWords(log).split("\n").at(-1), "Caused by: java.net.BindException: Address already in use");
  assert.equal(lostItsPort(lastWords(log)), true);
  assert.equal(lostItsPort("OutOfMemoryError"), false);
});

test("the process table of systems without /proc is read", () => {
  assert.deepEqual(parseProcesses("    1 /sbin/launchd\n  812 /usr/bin/java -Dx=a b -cp c\n\n"), [{ pid: 1, command: "/sbin/launchd" }, { pid: 812, command: "/usr/bin/java -Dx=a b -cp c" }]);
});

test("of many that write the next state one succeeds, and everybody reads what it wrote", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "local-flink-state-"));
  try {
    for (let number = 0; number < 20; number++) {
      const written = await Promise.all(Array.from({ length: 8 }, (_, writer) => new StateFile(folder).write(number, state({ port: 1024 + writer }))));
      assert.equal(written.filter(Boolean).length, 1);
      assert.deepEqual(await new StateFile(folder).read(), { number: number + 1, state: state({ port: 1024 + written.indexOf(true) }) });
    }
    assert.equal((await readdir(folder)).filter((name) => name.endsWith(".draft")).length, 0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a state that is behind cannot be written, one that cannot be read counts as none, and a missing folder as well", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "local-flink-state-"));
  try {
    const file = new StateFile(path.join(folder, "new"));
    assert.deepEqual(await file.read(), { number: 0, state: undefined });
    assert.equal(await file.write(0, state({})), true);
    assert.equal(await file.write(1, state({ phase: "stopped" })), true);
    assert.equal(await file.write(0, state({})), false);
    assert.equal((await file.read()).state?.phase, "stopped");
    await writeFile(path.join(folder, "new", "localFlink.3.json"), "{ half");
    assert.deepEqual(await file.read(), { number: 3, state: undefined });
    assert.equal(await file.write(3, state({})), true);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a port that is in use is passed over, whichever loopback address it is used on", async () => {
  for (const host of ["127.0.0.1", "::1", "0.0.0.0"]) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as { port: number };
    const free = await freePortFrom(port);
    assert.ok(free > port && free < port + 100, `${host}: ${free}`);
    await new Promise((resolve) => server.close(resolve));
  }
});

function state(change: Partial<LocalFlinkState>): LocalFlinkState {
  return localFlinkStateSchema.parse({
    format: 1, instance: "6b1f6f0e-0f0f-4f0f-8f0f-0f0f0f0f0f0f", phase: "running", version: "2.3.0", port: 19200, startedAtMs: 1, owner: thisProcess(),
    keep: false, dataFolder: "/data", java: "java", ...change,
  });
}
