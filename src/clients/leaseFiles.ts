import { randomBytes } from "node:crypto";
import { mkdir, readdir, stat, utimes } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { FlinkError } from "../core/errors";
import type { Lease, Log, ProcessIdentity } from "../core/ports";
import { Draft, errnoOf, readPublished, remove, type PublishWay } from "./atomicFile";
import { isAlive, thisProcess } from "./processIdentity";

/** What the file of a lease says: who took it, or nobody after it was given up. */
const holderSchema = z.object({ holder: z.object({ host: z.string(), pid: z.number(), instance: z.string() }).nullable() });

/**
 * A lease as files `<name>.<term>.lease` in a folder that all processes of a user share. To take it is to link the next term's file, which
 * fails for all but one; terms only grow, so that a process which slept finds a higher one and knows that it lost. The holder touches its
 * file at each call. It is over for a holder whose process is gone, and for one whose file stayed untouched over `patience` calls of another:
 * calls are counted instead of times compared, so that neither a clock that jumps nor a machine that sleeps makes anybody look silent.
 */
export function openLease({ folder, name, patience, log }: { readonly folder: string; readonly name: string; readonly patience: number; readonly log: Log }): Lease {
  return new FileLease(folder, name, patience, log, thisProcess());
}

class FileLease implements Lease {
  readonly #folder: string;
  readonly #name: string;
  readonly #patience: number;
  readonly #log: Log;
  readonly #self: ProcessIdentity;
  /** The term that we took; undefined when we do not hold it. */
  #term: number | undefined;
  /** The holder's last sign of life as we saw it, and how often it was the same. */
  #seen = { term: 0, touchedMs: -1, times: 0 };
  #way: PublishWay = "link";

  constructor(folder: string, name: string, patience: number, log: Log, self: ProcessIdentity) {
    this.#folder = folder;
    this.#name = name;
    this.#patience = patience;
    this.#log = log;
    this.#self = self;
  }

  async hold(): Promise<boolean> {
    try {
      const terms = await this.#terms();
      const highest = terms.at(-1) ?? 0;
      if (this.#term !== undefined && this.#term === highest) return await this.#touch(highest);
      if (this.#term !== undefined) this.#lose();
      if (highest > 0 && !(await this.#isOver(highest))) return false;
      return await this.#take(highest + 1, terms);
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      throw new FlinkError("ledger-unwritable", { folder: this.#folder, reason: code }, { cause: error });
    }
  }

  async isHeld(): Promise<boolean> {
    if (this.#term === undefined) return false;
    return (await this.#terms().catch((): number[] => [])).at(-1) === this.#term;
  }

  async release(): Promise<void> {
    const term = this.#term;
    if (term === undefined || !(await this.isHeld())) return;
    this.#term = undefined;
    if (await this.#publish(term + 1, null)) await remove(this.#file(term));
  }

  async #touch(term: number): Promise<boolean> {
    try {
      const now = new Date();
      await utimes(this.#file(term), now, now);
      return true;
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      this.#lose();
      return false;
    }
  }

  /** Given up, its process gone, or silent for too long. */
  async #isOver(term: number): Promise<boolean> {
    const file = this.#file(term);
    try {
      const holder = await this.#holder(term);
      if (holder === null) return true;
      if (holder !== undefined && isAlive(holder, this.#self) === "dead") return true;
      const { mtimeMs } = await stat(file);
      const same = this.#seen.term === term && this.#seen.touchedMs === mtimeMs;
      this.#seen = { term, touchedMs: mtimeMs, times: same ? this.#seen.times + 1 : 0 };
      return this.#seen.times >= this.#patience;
    } catch (error) {
      // Somebody took the next term meanwhile.
      if (errnoOf(error) === "ENOENT") return false;
      throw error;
    }
  }

  /** Null when it was given up, undefined when the file does not tell. */
  async #holder(term: number): Promise<ProcessIdentity | null | undefined> {
    const text = await readPublished(this.#file(term));
    try {
      return holderSchema.parse(JSON.parse(text)).holder;
    } catch {
      return undefined;
    }
  }

  async #take(term: number, older: readonly number[]): Promise<boolean> {
    if (!(await this.#publish(term, this.#self))) return false;
    this.#term = term;
    this.#log.info(`this process runs schedules from now on (lease ${this.#name}, term ${term})`);
    for (const old of older) await remove(this.#file(old)).catch((error: unknown) => this.#log.debug(`lease ${this.#name}: term ${old} stays`, error));
    return true;
  }

  async #publish(term: number, holder: ProcessIdentity | null): Promise<boolean> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { host, pid, instance } = this.#self;
    const text = JSON.stringify({ holder: holder && { host, pid, instance } });
    for (;;) {
      const draft = await Draft.open(path.join(this.#folder, "drafts", `${this.#name}.${term}.${pid}.${randomBytes(4).toString("hex")}.draft`), this.#way);
      try {
        const published = await draft.publish(text, this.#file(term));
        if (published !== "no-links" || this.#way === "folder") return published === "published";
        this.#way = "folder";
      } finally {
        await draft.withdraw();
      }
    }
  }

  #lose(): void {
    this.#log.info(`another process runs schedules from now on (lease ${this.#name})`);
    this.#term = undefined;
  }

  /** Ascending. */
  async #terms(): Promise<number[]> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (errnoOf(error) === "ENOENT") return [];
      throw error;
    });
    const terms = names.map((name) => (name.startsWith(`${this.#name}.`) ? /^(\d+)\.lease$/.exec(name.slice(this.#name.length + 1))?.[1] : undefined));
    return terms.filter((term) => term !== undefined).map(Number).sort((a, b) => a - b);
  }

  #file(term: number): string {
    return path.join(this.#folder, `${this.#name}.${term}.lease`);
  }
}
