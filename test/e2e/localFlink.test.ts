import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, openAsBlob } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, readlink, rm, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, afterEach, beforeEach, describe, test } from "node:test";
import { freePortFrom } from "../../src/clients/localFlink/freePort";
import { createLocalFlink } from "../../src/clients/localFlink/localFlink";
import { processesOf, signalProcess } from "../../src/clients/localFlink/processTable";
import { StateFile } from "../../src/clients/localFlink/stateFile";
import { systemClock } from "../../src/core/base/async";
import type { LocalFlink, LocalFlinkOptions } from "../../src/core/localFlink/localFlink";
import { localFlinkVersions } from "../../src/core/settings";
import { cacheFolder, checkExactlyOnce, plainHttp, quietLog, rootFolder, startFlink, until, unwatched } from "../rig/flink";
import { rejected } from "../unit/rejected";

const [newest] = localFlinkVersions;
const oldest = localFlinkVersions.at(-1) ?? newest;
const root = await rootFolder();
const http = plainHttp();
after(() => http.dispose());

/** The first of a hundred ports that nothing else on this machine uses, not even another run of this file. */
const ports = await freeHundred();

let folder: string;
let local: LocalFlink;
const windows: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "local flink 100% "));
  local = localFlinkIn(folder);
});
afterEach(async () => {
  for (const window of windows.splice(0)) window.kill("SIGKILL");
  await local.stop(unwatched());
  await rm(folder, { recursive: true, force: true });
});

describe("a local Flink", () => {
  for (const version of [newest, oldest]) {
    test(`starts on ${version}, keeps to localhost, writes savepoints where it says, and stops`, async () => {
      assert.deepEqual(await local.find(), { state: "none" });
      assert.deepEqual(await readdir(folder), []);
      const flink = await local.start(optionsOf({ version, port: ports }), unwatched());
      assert.deepEqual({ ...flink, startedAtMs: 0 }, {
        url: `http://localhost:${ports}`, version, startedAtMs: 0, keep: false, mine: true, logFile: path.join(folder, "log", "jobmanager.log"),
        savepointDirectory: `file:${folder}/savepoints`, checkpointDirectory: `file:${folder}/checkpoints`,
      });
      assert.deepEqual(await local.find(), { state: "running", flink });
      const pids = (await processes()).map((row) => row.pid);
      assert.equal(pids.length, 2);
      const addresses = (await Promise.all(pids.map(listeningAddresses))).flat();
      assert.ok(addresses.length >= 4);
      assert.deepEqual([...new Set(addresses)].filter((address) => !/^(0100007F|0{24}01000000|0000000000000000FFFF00000100007F)$/.test(address)), []);

      const jobId = await runSample(flink.url, version);
      const location = await savepoint(flink.url, jobId);
      assert.ok(location.startsWith(`${flink.savepointDirectory}/savepoint-${jobId.slice(0, 6)}-`), location);
      assert.equal(existsSync(`${folder}/savepoints/${path.basename(location)}/_metadata`), true);
      assert.match(await (await fetch(`${flink.url}/jobmanager/log`)).text(), /Starting StandaloneSessionClusterEntrypoint/);

      await local.stop(unwatched());
      assert.deepEqual(await local.find(), { state: "none" });
      assert.deepEqual(await alive(pids), []);
      assert.deepEqual(await readdir(path.join(folder, "run")), []);
      assert.deepEqual(await readdir(path.join(folder, "savepoints")), [path.basename(location)]);
      await local.stop(unwatched());
    });
  }

  test("is one per folder: a second start is refused in this process and in another", async () => {
    const { url } = await local.start(optionsOf({ port: ports + 10 }), unwatched());
    assert.deepEqual((await rejected(local.start(optionsOf({}), unwatched()), "local-flink-already-running")).facts, { url });
    assert.deepEqual(await openWindow().outcome(), { error: "local-flink-already-running" });
    assert.equal((await processes()).length, 2);
  });

  test("is started by exactly one of three windows that start it at once", async () => {
    const all = [1, 2, 3].map(() => openWindow(optionsOf({ port: ports + 20 })));
    const outcomes = await Promise.all(all.map((window) => window.outcome()));
    assert.deepEqual(outcomes.map((line) => line.error ?? line.url).sort(), [`http://localhost:${ports + 20}`, "local-flink-already-running", "local-flink-already-running"]);
    assert.equal((await processes()).length, 2);
    const found = await local.find();
    assert.ok(found.state === "running" && !found.flink.mine);
    await rejected(local.adopt({ keep: false }, unwatched()), "local-flink-already-running");
  });

  test("left over by a killed window is found, not doubled, adopted with its jobs, and stopped", async () => {
    const window = openWindow(optionsOf({ port: ports + 30 }));
    const { url = "" } = await window.outcome();
    const jobId = await runSample(url, newest);
    await window.kill();
    const found = await local.find();
    assert.ok(found.state === "left-over" && !found.flink.mine && found.flink.url === url);
    await rejected(local.start(optionsOf({}), unwatched()), "local-flink-already-running");
    const before = await processes();
    signalProcess(before.find((row) => row.role === "taskManager")?.pid ?? 0, "SIGKILL");
    const adopted = await local.adopt({ keep: false }, unwatched());
    assert.deepEqual([adopted.mine, adopted.url], [true, url]);
    assert.equal((await local.find()).state, "running");
    await until("the job to recover", async () => ((await (await fetch(`${url}/jobs/${jobId}`)).json()) as { state: string }).state === "RUNNING");
    await local.stop(unwatched());
    assert.deepEqual(await alive(before.map((row) => row.pid)), []);
  });

  test("whose window was killed at any moment of its start is known: it can be found or stopped, and the next start leaves two processes", async () => {
    for (const delayMs of [0, 300, 1500]) {
      const window = openWindow(optionsOf({ port: ports + 40 }));
      await window.step(/^Starting Flink/);
      await systemClock.sleep(delayMs);
      await window.kill();
      const { state: written } = await new StateFile(folder).read();
      if ((await local.find()).state === "none") {
        await local.start(optionsOf({ port: ports + 40 }), unwatched());
      } else {
        assert.equal((await local.find()).state, "left-over");
        await local.adopt({ keep: false }, unwatched());
      }
      const all = await processes();
      assert.equal(all.length, 2, `after ${delayMs} ms`);
      if ((await new StateFile(folder).read()).state?.instance !== written?.instance) assert.deepEqual(await processesOf(written?.instance ?? ""), []);
      await local.stop(unwatched());
      assert.deepEqual(await alive(all.map((row) => row.pid)), []);
    }
  });

  test("ends with its window, unless it is kept, and can be kept later", async () => {
    const first = openWindow(optionsOf({ port: ports + 50 }));
    await first.outcome();
    await first.close();
    await until("Flink to end", async () => (await processes()).length === 0, 8000);
    assert.deepEqual(await local.find(), { state: "none" });

    const second = openWindow(optionsOf({ port: ports + 50 }));
    await second.outcome();
    await local.keep(true);
    await second.close();
    const found = await local.find();
    assert.ok(found.state === "running" && found.flink.keep && !found.flink.mine);
    assert.equal((await processes()).length, 2);
    assert.equal((await local.adopt({ keep: false }, unwatched())).mine, true);
    await local.leave();
    await until("Flink to end", async () => (await processes()).length === 0, 8000);
    assert.deepEqual(await local.find(), { state: "none" });
  });

  test("takes the next port when the wanted one is in use", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(ports + 60, "127.0.0.1", resolve));
    try {
      assert.equal((await local.start(optionsOf({ port: ports + 60 }), unwatched())).url, `http://localhost:${ports + 61}`);
    } finally {
      server.close();
    }
  });

  test("whose JobManager died is gone, and the next start ends its TaskManager", async () => {
    await local.start(optionsOf({ port: ports + 62 }), unwatched());
    const before = await processes();
    signalProcess(before.find((row) => row.role === "jobManager")?.pid ?? 0, "SIGKILL");
    await until("the JobManager to end", async () => (await processes()).length === 1);
    assert.deepEqual(await local.find(), { state: "none" });
    await rejected(local.adopt({ keep: false }, unwatched()), "local-flink-died");
    await local.start(optionsOf({ port: ports + 62 }), unwatched());
    assert.deepEqual(await alive(before.map((row) => row.pid)), []);
    assert.equal((await processes()).length, 2);
  });

  test("leaves nothing running when its start is cancelled, at whatever step", async () => {
    for (const step of [/^Looking/, /^Starting/]) {
      for (const delayMs of [0, 300]) {
        const cancel = new AbortController();
        const report = ({ message }: { message: string }): void => {
          if (step.test(message)) setTimeout(() => cancel.abort(), delayMs);
        };
        await assert.rejects(local.start(optionsOf({ port: ports + 64 }), { signal: cancel.signal, report }), { name: "AbortError" });
        assert.deepEqual(await local.find(), { state: "none" });
        assert.deepEqual(await processes(), []);
      }
    }
  });

  test("that is stopped by another window while it starts does not start", async () => {
    const window = openWindow(optionsOf({ port: ports + 66 }));
    await window.step(/^Starting Flink/);
    await until("processes", async () => (await processes()).length === 2);
    await local.stop(unwatched());
    assert.match((await window.outcome()).error ?? "", /AbortError/);
    assert.deepEqual(await processes(), []);
  });

  test("that cannot run says why, with Flink's own words, and leaves nothing running", async () => {
    const extraConfig = { "taskmanager.memory.network.min": "much" };
    const error = await rejected(local.start(optionsOf({ port: ports + 68, extraConfig }), unwatched()), "local-flink-died");
    assert.equal(error.facts.exitCode, 1);
    assert.match(error.facts.lastLines, /Could not parse value 'much'/);
    assert.equal(error.facts.logFile, path.join(folder, "log", "taskmanager.log"));
    assert.deepEqual(await processes(), []);
    assert.deepEqual(await local.find(), { state: "none" });
  });

  test("says when there is no Java, and when its jars cannot be got, and starts nothing", async () => {
    const noJava = await rejected(local.start(optionsOf({ javaHome: "/nowhere" }), unwatched()), "local-flink-java-missing");
    assert.deepEqual(noJava.facts, { looked: "/nowhere", found: null });
    const world = { cacheFolder: path.join(folder, "cache"), homeFolder: folder, env: { PATH: await onlyJava() } };
    const noJars = await rejected(localFlinkIn(folder, world).start(optionsOf({}), unwatched()), "local-flink-jars-missing");
    assert.ok(noJars.facts.missing.length > 30);
    assert.match(noJars.facts.tried, /mvn is not on the PATH/);
    assert.deepEqual(await local.find(), { state: "none" });
  });
});

describe("Maven", () => {
  test("fetches the jars of a local Flink into an empty repository, and stops when cancelled", async () => {
    // Maven's own start script takes no blanks in its options.
    const repository = await mkdtemp(path.join(tmpdir(), "local-flink-m2-"));
    const world = { cacheFolder: path.join(folder, "cache"), homeFolder: folder, env: { ...process.env, MAVEN_OPTS: `-Dmaven.repo.local=${repository}` } };
    const cancel = new AbortController();
    const steps: string[] = [];
    const report = ({ message }: { message: string }): void => {
      steps.push(message);
      if (steps.length === 8) cancel.abort();
    };
    await assert.rejects(localFlinkIn(folder, world).start(optionsOf({ port: ports + 70 }), { signal: cancel.signal, report }), { name: "AbortError" });
    assert.deepEqual(await readdir(path.join(folder, "cache", newest, "lib")), []);
    const flink = await localFlinkIn(folder, world).start(optionsOf({ port: ports + 70 }), { signal: new AbortController().signal, report });
    assert.equal(flink.url, `http://localhost:${ports + 70}`);
    assert.match(steps.join("\n"), /Fetching Flink [\d.]+: [\d.]+ MB of [\d.]+ MB/);
    assert.deepEqual(await readdir(path.join(folder, "cache", newest)), ["lib"]);
    await rm(repository, { recursive: true });
  });
});

describe("the rig's Flink", () => {
  test("loses its jobs with the JobManager, keeps them without a TaskManager, and the test job counts exactly once over it all", async () => {
    const flink = await startFlink(newest, { port: ports + 80 });
    try {
      const out = flink.outFolder("job");
      const jobId = await flink.runTestJob({ out, parallelism: 2, "checkpoint-interval": "500 ms", "restart-delay": "200 ms" });
      await flink.waitUntilRunning(jobId);
      await until("a checkpoint", async () => (await flink.rest<{ counts: { completed: number } }>("GET", `/jobs/${jobId}/checkpoints`)).counts.completed > 1);
      await flink.killTaskManager();
      await until("the tasks to end", async () => (await flink.rest<{ vertices: { status: string }[] }>("GET", `/jobs/${jobId}`)).vertices.some((vertex) => vertex.status !== "RUNNING"));
      await flink.startTaskManager();
      await flink.waitUntilRunning(jobId);
      const first = await flink.savepoint(jobId, "stop");
      const second = await flink.runTestJob({ out, parallelism: 3 }, { savepointPath: first, claimMode: "NO_CLAIM" });
      await flink.waitUntilRunning(second);
      await flink.control("fail-commit", "");
      const refusal = await flink.savepoint(second, "stop").then(() => "", String);
      const written = /A savepoint has been created at: (\S+), but/.exec(refusal)?.[1] ?? assert.fail(refusal);
      await flink.waitForState(second, "FAILED");
      await flink.control("fail-commit", undefined);
      await flink.killJobManager();
      await flink.startJobManager();
      assert.deepEqual(await flink.rest("GET", "/jobs/overview"), { jobs: [] });
      await until("slots", async () => (await flink.rest<{ "slots-total": number }>("GET", "/overview"))["slots-total"] === 8);
      const last = await flink.runTestJob({ out }, { savepointPath: written, claimMode: "CLAIM" });
      await flink.waitUntilRunning(last);
      await flink.savepoint(last, "stop");
      assert.ok(await checkExactlyOnce(out) > 100);
      assert.match((await flink.cli("list", "-a")).stdout, new RegExp(`${last} : test job \\(FINISHED\\)`));
    } finally {
      await flink.stop();
    }
  });
});

function localFlinkIn(where: string, world: { cacheFolder?: string; homeFolder?: string; env?: NodeJS.ProcessEnv } = {}): LocalFlink {
  return createLocalFlink({ folder: where, cacheFolder, listsFolder: path.join(root, "media", "flink"), clock: systemClock, log: quietLog, http, ...world });
}

async function freeHundred(): Promise<number> {
  for (;;) {
    const first = 11_000 + 100 * Math.floor(Math.random() * 80);
    let at = first;
    while (at < first + 100 && (await freePortFrom(at)) === at) at++;
    if (at === first + 100) return first;
  }
}

function optionsOf(change: Partial<LocalFlinkOptions>): LocalFlinkOptions {
  return { version: newest, port: ports + 90, javaHome: "", mavenRepository: "", keep: false, ...change };
}

/** The JVMs of the newest start in the folder, whatever became of it. */
async function processes(): ReturnType<typeof processesOf> {
  const { state } = await new StateFile(folder).read();
  return state === undefined ? [] : processesOf(state.instance);
}

async function alive(pids: readonly number[]): Promise<readonly number[]> {
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.filter((_, at) => commands[at]?.includes("flinkSavepoints"));
}

/** Local addresses of the TCP sockets a process listens on, as in `/proc/net/tcp`. */
async function listeningAddresses(pid: number): Promise<readonly string[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`);
  const sockets = new Set(await Promise.all(descriptors.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => ""))));
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")));
  return tables.flatMap((table) => table.trim().split("\n").slice(1)).flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[3] === "0A" && sockets.has(`socket:[${fields[9]}]`) ? [fields[1]?.split(":")[0] ?? ""] : [];
  });
}

/** Another process that starts the same local Flink, see `localFlinkOwner.process.ts`. */
function openWindow(options = optionsOf({})): { step(pattern: RegExp): Promise<void>; outcome(): Promise<{ url?: string; error?: string }>; kill(): Promise<void>; close(): Promise<void> } {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "localFlinkOwner.process.mjs"), JSON.stringify({ folder, options })], { stdio: ["pipe", "pipe", "inherit"], cwd: root });
  windows.push(child);
  const lines: { step?: string; url?: string; error?: string }[] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(JSON.parse(line) as object));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const wait = async (what: string, test: (line: (typeof lines)[number]) => boolean): Promise<(typeof lines)[number]> => {
    await until(what, () => Promise.resolve(lines.some(test)), 120_000);
    return lines.find(test) ?? {};
  };
  return {
    step: async (pattern) => void (await wait(String(pattern), (line) => pattern.test(line.step ?? ""))),
    outcome: () => wait("the outcome", (line) => line.url !== undefined || line.error !== undefined),
    kill: () => {
      child.kill("SIGKILL");
      return ended;
    },
    close: () => {
      child.stdin.end();
      return ended;
    },
  };
}

/** Runs the sample job and waits until it made an orderly start; resolves to its id. */
async function runSample(url: string, version: string): Promise<string> {
  const form = new FormData();
  form.append("jarfile", await openAsBlob(path.join(root, "dist", "sample-job.jar")), "sample-job.jar");
  const { filename } = (await (await fetch(`${url}/jars/upload`, { method: "POST", body: form })).json()) as { filename: string };
  const body = JSON.stringify({ programArgsList: ["--name", `Orders on ${version}`, "--checkpoint-interval", "1 s"] });
  const { jobid } = (await (await fetch(`${url}/jars/${path.basename(filename)}/run`, { method: "POST", headers: { "content-type": "application/json" }, body })).json()) as { jobid: string };
  await until("all tasks to run", async () => {
    const job = (await (await fetch(`${url}/jobs/${jobid}`)).json()) as { name: string; vertices: { status: string }[] };
    assert.equal(job.name, `Orders on ${version}`);
    return job.vertices.every((vertex) => vertex.status === "RUNNING");
  });
  return jobid;
}

async function savepoint(url: string, jobId: string): Promise<string> {
  const { "request-id": id } = (await (await fetch(`${url}/jobs/${jobId}/savepoints`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" })).json()) as { "request-id": string };
  let location = "";
  await until("the savepoint", async () => {
    const answer = (await (await fetch(`${url}/jobs/${jobId}/savepoints/${id}`)).json()) as { operation?: { location?: string } };
    location = answer.operation?.location ?? "";
    return location !== "";
  });
  return location;
}

/** A folder for the `PATH` on which there is a Java and nothing else. */
async function onlyJava(): Promise<string> {
  const bin = path.join(folder, "bin");
  const homes = [path.join(process.env["JAVA_HOME"] ?? "/nowhere", "bin"), ...(process.env["PATH"] ?? "").split(path.delimiter)];
  await mkdir(bin);
  await symlink(homes.map((home) => path.join(home, "java")).find((java) => existsSync(java)) ?? "", path.join(bin, "java"));
  return bin;
}
