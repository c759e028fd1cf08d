import { randomUUID } from "node:crypto";
import * as fs from "node:fs/promises";
import path from "node:path";
import { localFlinkStateSchema, type LocalFlinkState } from "../../core/localFlink/state";
import { Draft, errnoOf, readPublished, remove } from "../atomicFile";

/** A state together with its number. Number 0 with no state: nothing was ever written. */
export interface NumberedState {
  readonly number: number;
  readonly state: LocalFlinkState | undefined;
}

const pattern = /^localFlink\.(\d+)\.json$/;
const hourMs = 3_600_000;

/**
 * The state of the local Flink in its folder, in numbered files of which the highest counts. A change writes the next number and succeeds
 * only if that did not exist, so of several processes that act on what they read exactly one wins, and a crash leaves no lock behind.
 * Numbers never come again: old files stay for an hour, far longer than anybody can take between reading and writing.
 */
export class StateFile {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The newest state. One that cannot be read counts as none, with its number. */
  async read(): Promise<NumberedState> {
    const number = Math.max(0, ...(await this.#numbers()));
    if (number === 0) return { number, state: undefined };
    try {
      return { number, state: localFlinkStateSchema.parse(JSON.parse(await readPublished(this.#file(number)))) };
    } catch (error) {
      // Replaced by a newer one, and tidied away, between listing and reading.
      if (errnoOf(error) === "ENOENT") return this.read();
      return { number, state: undefined };
    }
  }

  /** Writes the state that follows number `after`. False when somebody else was faster; then read again. Rejects with Node's error. */
  async write(after: number, state: LocalFlinkState): Promise<boolean> {
    const text = `${JSON.stringify(state, null, 2)}\n`;
    const published = (await this.#publish(text, after + 1, "link")) ?? (await this.#publish(text, after + 1, "folder")) ?? false;
    if (published) await this.#tidy(after);
    return published;
  }

  async #publish(text: string, number: number, way: "link" | "folder"): Promise<boolean | undefined> {
    const draft = await Draft.open(path.join(this.#folder, `localFlink.${randomUUID()}.draft`), way);
    try {
      const published = await draft.publish(text, this.#file(number));
      return published === "no-links" ? undefined : published === "published";
    } finally {
      await draft.withdraw();
    }
  }

  async #tidy(upTo: number): Promise<void> {
    for (const number of await this.#numbers()) {
      const stat = number <= upTo ? await fs.stat(this.#file(number)).catch(() => undefined) : undefined;
      if (stat !== undefined && Date.now() - stat.mtimeMs > hourMs) await remove(this.#file(number)).catch(() => undefined);
    }
  }

  async #numbers(): Promise<readonly number[]> {
    const names = await fs.readdir(this.#folder).catch(() => []);
    return names.map((name) => pattern.exec(name)?.[1]).filter((number) => number !== undefined).map(Number);
  }

  #file(number: number): string {
    return path.join(this.#folder, `localFlink.${number}.json`);
  }
}
