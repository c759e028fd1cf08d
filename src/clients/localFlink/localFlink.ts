import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import * as z from "zod";
import { FlinkError, isFlinkError } from "../../core/errors";
import type { Role } from "../../core/localFlink/java";
import type { FoundLocalFlink, LocalFlink, LocalFlinkOptions, RunningLocalFlink } from "../../core/localFlink/localFlink";
import { describe, judge, lostItsPort, type LocalFlinkState } from "../../core/localFlink/state";
import type { Clock, Log, Run } from "../../core/ports";
import type { Http } from "../http";
import { isAlive, thisProcess } from "../processIdentity";
import { anyFreePort, freePortFrom } from "./freePort";
import { prepareJars, readJarList } from "./jars";
import { findJava } from "./java";
import { lastLines, launchProcess, logFileOf, prepareFolders, runFolderOf } from "./launch";
import { processesOf, signalProcess } from "./processTable";
import { StateFile } from "./stateFile";

/** Where a local Flink lives and what it needs of the world. */
export interface LocalFlinkWorld {
  /** Its own folder: state, logs, configuration, and savepoints unless told otherwise. Processes that share it share one local Flink. */
  readonly folder: string;
  /** Gets `<version>/lib`; may be shared by several local Flinks. */
  readonly cacheFolder: string;
  /** Holds `<version>.json` for each version that can be started. */
  readonly listsFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly http: Pick<Http, "send">;
  /** Default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Default: the user's home folder. */
  readonly homeFolder?: string;
}

const readyWithinMs = 120_000;
const pollMs = 200;
const endWithinMs = 10_000;
const starts = 3;

/** See `LocalFlink`. Makes no file and starts no process before `start`. */
export function createLocalFlink(world: LocalFlinkWorld): LocalFlink {
  return new Controller(world);
}

class Controller implements LocalFlink {
  readonly #world: LocalFlinkWorld;
  readonly #file: StateFile;
  readonly #env: NodeJS.ProcessEnv;

  constructor(world: LocalFlinkWorld) {
    this.#world = world;
    this.#file = new StateFile(world.folder);
    this.#env = world.env ?? process.env;
  }

  async find(): Promise<FoundLocalFlink> {
    return this.#judge((await this.#file.read()).state);
  }

  async start(options: LocalFlinkOptions, run: Run): Promise<RunningLocalFlink> {
    if (process.platform === "win32") throw new FlinkError("local-flink-unsupported", { platform: "Windows" });
    this.#refuse(await this.find());
    run.report({ message: "Looking for Java and Flink's jars" });
    const { executable } = await findJava(options.javaHome, this.#env, run.signal);
    const jars = await this.#jars(options.version, options.mavenRepository, run);
    for (let attempt = 1; ; attempt++) {
      const state = await this.#claim(options, executable, run);
      try {
        return await this.#bringUp(state, jars, options.extraConfig ?? {}, run);
      } catch (error) {
        await this.#tearDown(state, "SIGKILL");
        // Another program was faster between our look at the port and Flink's.
        if (attempt < starts && isFlinkError(error, "local-flink-died") && lostItsPort(error.facts.lastLines)) continue;
        throw error;
      }
    }
  }

  async adopt(options: { readonly keep: boolean }, run: Run): Promise<RunningLocalFlink> {
    for (;;) {
      const { number, state } = await this.#file.read();
      const found = await this.#judge(state);
      if (state === undefined || found.state === "none") throw await this.#died("jobManager", null);
      const owned = isAlive(state.owner, thisProcess());
      if (owned === "alive" || (owned === "self" && state.phase === "starting")) throw new FlinkError("local-flink-already-running", { url: found.flink.url });
      const mine: LocalFlinkState = { ...state, owner: thisProcess(), keep: options.keep };
      if (!(await this.#file.write(number, mine))) continue;
      if (!(await processesOf(mine.instance)).some((row) => row.role === "taskManager")) {
        const jars = await this.#jars(mine.version, "", run);
        await this.#launch("taskManager", mine, jars);
      }
      await this.#waitUntilReady(mine, undefined, run);
      return describe(await this.#advance(mine, { phase: "running" }), { mine: true, logFile: logFileOf(this.#world.folder) });
    }
  }

  async stop(run: Run): Promise<void> {
    run.signal.throwIfAborted();
    for (;;) {
      const { number, state } = await this.#file.read();
      if (state === undefined || state.phase === "stopped") return;
      run.report({ message: `Stopping Flink ${state.version}` });
      if (await this.#file.write(number, { ...state, phase: "stopping", owner: thisProcess() })) return this.#tearDown(state, "SIGTERM");
    }
  }

  async keep(keep: boolean): Promise<void> {
    const { state } = await this.#file.read();
    if (state !== undefined && (await this.#judge(state)).state !== "none") await this.#advance(state, { keep });
  }

  async leave(): Promise<void> {
    const { number, state } = await this.#file.read();
    if (state === undefined || state.keep || isAlive(state.owner, thisProcess()) !== "self" || !isUp(state)) return;
    if (!(await this.#file.write(number, { ...state, phase: "stopping" }))) return this.leave();
    const deadlineMs = this.#world.clock.now() + 3000;
    for (const row of await processesOf(state.instance)) signalProcess(row.pid, "SIGTERM");
    while ((await processesOf(state.instance)).length > 0) {
      if (this.#world.clock.now() > deadlineMs) return;
      await this.#world.clock.sleep(pollMs);
    }
    await this.#forget(state);
  }

  #refuse(found: FoundLocalFlink): void {
    if (found.state !== "none") throw new FlinkError("local-flink-already-running", { url: found.flink.url });
  }

  async #judge(state: LocalFlinkState | undefined): Promise<FoundLocalFlink> {
    if (state === undefined || !isUp(state)) return { state: "none" };
    const owner = isAlive(state.owner, thisProcess());
    return judge(state, {
      jobManagerAlive: (await processesOf(state.instance)).some((row) => row.role === "jobManager"),
      ownerAlive: owner === "self" || owner === "alive",
      mine: owner === "self",
      logFile: logFileOf(this.#world.folder),
    });
  }

  async #jars(version: string, mavenRepository: string, run: Run): Promise<readonly string[]> {
    const { cacheFolder, listsFolder, http, log, homeFolder = homedir() } = this.#world;
    return prepareJars(await readJarList(listsFolder, version), { cacheFolder, mavenRepository, homeFolder, env: this.#env, http, log }, run);
  }

  /** Writes down what will be started, so that of several that want to start one does. Ends what an earlier start left without a JobManager. */
  async #claim(options: LocalFlinkOptions, java: string, run: Run): Promise<LocalFlinkState> {
    const { folder, clock, log } = this.#world;
    for (;;) {
      run.signal.throwIfAborted();
      const { number, state: before } = await this.#file.read();
      this.#refuse(await this.#judge(before));
      if (before !== undefined && before.phase !== "stopped") await this.#endRemains(before.instance);
      const state: LocalFlinkState = {
        format: 1,
        instance: randomUUID(),
        phase: "starting",
        version: options.version,
        port: await freePortFrom(options.port),
        startedAtMs: clock.now(),
        owner: thisProcess(),
        keep: options.keep,
        dataFolder: options.dataFolder ?? folder,
        java,
      };
      if (!(await this.#file.write(number, state))) continue;
      log.info(`Starting Flink ${state.version} on port ${state.port} in ${folder}.`);
      return state;
    }
  }

  async #bringUp(state: LocalFlinkState, jars: readonly string[], extra: Readonly<Record<string, string>>, run: Run): Promise<RunningLocalFlink> {
    run.report({ message: `Starting Flink ${state.version} on port ${state.port}` });
    await this.#removeOldRuns(state.instance);
    await prepareFolders(this.#world.folder, state, await anyFreePort(), extra);
    const children = {
      jobManager: await this.#launch("jobManager", state, jars),
      taskManager: await this.#launch("taskManager", state, jars),
    };
    await this.#waitUntilReady(state, children, run);
    return describe(await this.#advance(state, { phase: "running" }), { mine: true, logFile: logFileOf(this.#world.folder) });
  }

  async #launch(role: Role, state: LocalFlinkState, jars: readonly string[]): Promise<ChildProcess> {
    const child = await launchProcess(role, { folder: this.#world.folder, state, jars, env: this.#env });
    if (child.pid === undefined) throw new FlinkError("local-flink-java-missing", { looked: state.java, found: null });
    return child;
  }

  async #waitUntilReady(state: LocalFlinkState, children: Readonly<Record<Role, ChildProcess>> | undefined, run: Run): Promise<void> {
    const { clock, http } = this.#world;
    const deadlineMs = clock.now() + readyWithinMs;
    for (;;) {
      for (const role of ["jobManager", "taskManager"] as const) {
        const child = children?.[role];
        if (child === undefined || (child.exitCode === null && child.signalCode === null)) continue;
        // It may have been stopped from another window.
        await this.#advance(state, {});
        throw await this.#died(role, child.exitCode);
      }
      if (clock.now() > deadlineMs) throw await this.#died("jobManager", null);
      try {
        const answer = await http.send({ method: "GET", url: `http://localhost:${state.port}/overview` }, run.signal);
        if (answer.status === 200 && overviewSchema.parse(JSON.parse(answer.body.toString("utf8")))["slots-total"] > 0) return;
      } catch (error) {
        run.signal.throwIfAborted();
        this.#world.log.trace("Flink is not up yet.", error);
      }
      await clock.sleep(pollMs, run.signal);
    }
  }

  async #died(role: Role, exitCode: number | null): Promise<FlinkError> {
    const { folder } = this.#world;
    return new FlinkError("local-flink-died", { exitCode, logFile: logFileOf(folder, role), lastLines: await lastLines(folder, role) });
  }

  /** Changes the state of this start. Rejects with an `AbortError` when somebody stopped it meanwhile. */
  async #advance(of: LocalFlinkState, change: Partial<Pick<LocalFlinkState, "phase" | "keep">>): Promise<LocalFlinkState> {
    for (;;) {
      const { number, state } = await this.#file.read();
      if (state?.instance !== of.instance || !isUp(state)) throw new DOMException("The local Flink was stopped.", "AbortError");
      const changed = { ...state, ...change };
      if (await this.#file.write(number, changed)) return changed;
    }
  }

  /** Ends all processes of a start, then writes down that it is over. */
  async #tearDown(state: LocalFlinkState, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#end(state.instance, signal);
    await this.#forget(state);
  }

  async #forget(of: LocalFlinkState): Promise<void> {
    await fs.rm(runFolderOf(this.#world.folder, of.instance), { recursive: true, force: true });
    const { number, state } = await this.#file.read();
    if (state?.instance !== of.instance || state.phase === "stopped") return;
    if (!(await this.#file.write(number, { ...state, phase: "stopped" }))) return this.#forget(of);
    this.#world.log.info(`Flink ${of.version} on port ${of.port} has ended.`);
  }

  /** A TaskManager alone has nothing to lose; a JobManager is being stopped by somebody and gets the time it needs. */
  async #endRemains(instance: string): Promise<void> {
    const jobManager = (await processesOf(instance)).some((row) => row.role === "jobManager");
    await this.#end(instance, jobManager ? "SIGTERM" : "SIGKILL");
  }

  /** A JobManager whose savepoint results nobody read takes seven seconds to end when asked, hence the patience. */
  async #end(instance: string, first: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { clock, log } = this.#world;
    for (const signal of first === "SIGTERM" ? (["SIGTERM", "SIGKILL"] as const) : (["SIGKILL"] as const)) {
      const deadlineMs = clock.now() + endWithinMs;
      for (const row of await processesOf(instance)) {
        if (signal !== first) log.warn(`The ${row.role} (process ${row.pid}) did not end within ${endWithinMs} ms and is killed.`);
        signalProcess(row.pid, signal, signal === "SIGKILL");
      }
      while (clock.now() < deadlineMs) {
        if ((await processesOf(instance)).length === 0) return;
        await clock.sleep(pollMs);
      }
    }
    log.error(`Processes of the local Flink ${instance} could not be ended.`);
  }

  async #removeOldRuns(current: string): Promise<void> {
    const runs = path.join(this.#world.folder, "run");
    for (const name of await fs.readdir(runs).catch(() => [])) {
      if (name !== current) await fs.rm(path.join(runs, name), { recursive: true, force: true });
    }
  }
}

const overviewSchema = z.lazy(() => z.object({ "slots-total": z.number() }));

/** True while the state claims a Flink that is up or coming up. */
function isUp(state: LocalFlinkState): boolean {
  return state.phase === "starting" || state.phase === "running";
}
