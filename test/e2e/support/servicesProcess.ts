import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Task, Told } from "../services.process";

/** The bundle of `services.process.ts`, next to the bundle of the test. */
const bundle = fileURLToPath(new URL("./services.process.mjs", import.meta.url));

/** A process that runs the services and does one verb. */
export class ServicesProcess {
  readonly #child: ChildProcess;
  readonly #waiting: { at: (told: Told) => boolean; resolve: (told: Told) => void; reject: (error: Error) => void }[] = [];
  readonly #told: Told[] = [];
  readonly #ended: Promise<void>;
  #stderr = "";

  /** `hiding`: a folder that this process sees empty, as if it were on another machine: a mount of its own, in a namespace of its own. */
  constructor(task: Task, hiding?: string) {
    const node = [process.execPath, "--enable-source-maps", bundle, JSON.stringify(task)];
    const [command = "", ...args] = hiding === undefined ? node : ["unshare", "--map-root-user", "--mount", "sh", "-c", `mount -t tmpfs tmpfs "$0" && exec "$@"`, hiding, ...node];
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    const kill = (): void => void this.#child.kill("SIGKILL");
    process.once("exit", kill);
    this.#child.stderr?.on("data", (data: Buffer) => (this.#stderr += data.toString()));
    if (this.#child.stdout) createInterface({ input: this.#child.stdout }).on("line", (line) => this.#hear(JSON.parse(line) as Told));
    this.#ended = new Promise((resolve) => this.#child.once("close", () => {
      process.off("exit", kill);
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the services' process ended; ${this.#stderr.trim()}`));
      resolve();
    }));
  }

  /** Resolves when the verb starts. */
  begins(): Promise<Told> {
    return this.#hears(({ at }) => at === "begins");
  }

  /** Resolves when the verb has ended, either way. Rejects when the process ends before. */
  outcome(): Promise<Told> {
    return this.#hears(({ at }) => at !== "begins");
  }

  /** True once the verb has ended. */
  get over(): boolean {
    return this.#told.some(({ at }) => at !== "begins");
  }

  /** SIGKILL, at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** SIGKILL, and waits until it is gone. */
  async end(): Promise<void> {
    this.kill();
    await this.#ended;
  }

  #hears(at: (told: Told) => boolean): Promise<Told> {
    const heard = this.#told.find(at);
    if (heard !== undefined) return Promise.resolve(heard);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.reject(new Error(`the services' process has ended; ${this.#stderr.trim()}`));
    const told = new Promise<Told>((resolve, reject) => this.#waiting.push({ at, resolve, reject }));
    told.catch(() => undefined);
    return told;
  }

  #hear(told: Told): void {
    this.#told.push(told);
    for (const waiter of this.#waiting.filter(({ at }) => at(told))) {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.resolve(told);
    }
  }
}
