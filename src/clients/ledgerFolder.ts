import type { Stats } from "node:fs";
import { lstat, mkdir, readdir, rename, stat } from "node:fs/promises";
import path from "node:path";
import { mapLimit } from "../core/base/async";
import { FlinkError } from "../core/errors";
import type { LedgerRecord } from "../core/ledger/record";
import type { DamagedRecord } from "../core/ledger/store";
import type { Clock, Log } from "../core/ports";
import { Draft, errnoOf, type PublishWay, readPublished, remove, trashSuffix } from "./atomicFile";
import { draftName, parseDraftName, parseRevisionName, revisionName } from "./ledgerNames";
import { parseRecord } from "./ledgerText";
import { thisProcess } from "./processIdentity";

/** Revisions by record id, ascending. */
export type Listing = ReadonlyMap<string, readonly number[]>;

/** What the highest revision of a record holds. Without a record it is left where it is for the reason given, `passing` if that may end. */
export type Newest =
  | { readonly revision: number; readonly record: LedgerRecord }
  | { readonly revision: number; readonly record: undefined; readonly problem: string; readonly passing: boolean };

/** Files read at once: Node has four threads for them, and more than this gains nothing. */
export const readsAtOnce = 32;
/** A draft whose writer cannot be looked at is left alone for this long. */
const draftAgeMs = 3_600_000;
/** A time stamp younger than this may be given again (FAT counts in two seconds). */
const stampAgeMs = 3_000;
/** Errors of a busy system, not of a file. */
const busy: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "EAGAIN", "EBUSY", "ENOMEM"]);

/** The files of the ledger: versions of records, drafts in `drafts/`, and in `damaged/` what nobody could read. Holds no record itself. */
export class LedgerFolder {
  readonly path: string;
  readonly #drafts: string;
  readonly #aside: string;
  readonly #log: Log;
  readonly #clock: Clock;
  /** Files set aside, by name, with the reason. */
  #setAside = new Map<string, string>();
  #tidiedAtMs = -Infinity;

  constructor(folder: string, log: Log, clock: Clock) {
    this.path = folder;
    this.#drafts = path.join(folder, "drafts");
    this.#aside = path.join(folder, "damaged");
    this.#log = log;
    this.#clock = clock;
  }

  /** The file of one version of a record. */
  file(id: string, revision: number): string {
    return path.join(this.path, revisionName(id, revision));
  }

  /** Announces a change of the record. Rejects with Node's error. */
  announce(id: string, way: PublishWay): Promise<Draft> {
    return Draft.open(path.join(this.#drafts, draftName(id, thisProcess())), way);
  }

  /** Lists the records. One that is being changed may be missed by chance, unless a draft of ours names it. Rejects with Node's error. */
  async list(): Promise<Listing> {
    const revisions = new Map<string, number[]>();
    for (const name of await namesIn(this.path)) {
      const file = parseRevisionName(name);
      if (file === undefined) continue;
      const others = revisions.get(file.id);
      if (others === undefined) revisions.set(file.id, [file.revision]);
      else others.push(file.revision);
    }
    for (const some of revisions.values()) if (some.length > 1) some.sort((a, b) => a - b);
    return revisions;
  }

  /** The revisions of one record, ascending; what `list` says of chance holds here too. */
  async revisionsOf(id: string): Promise<readonly number[]> {
    const names = (await namesIn(this.path)).filter((name) => name.startsWith(`${id}.`));
    return names.map((name) => parseRevisionName(name)?.revision).filter((revision) => revision !== undefined).sort((a, b) => a - b);
  }

  /** Lists once when nothing is new, else until two listings in a row agree, so that no record slips through while its file changes. */
  async listSettled(hasNews: (listing: Listing) => boolean): Promise<Listing> {
    let listing = await this.list();
    for (let round = 0, agree = !hasNews(listing); round < 5 && !agree; round++) {
      const next = await this.list();
      agree = next.size === listing.size && [...next].every(([id, revisions]) => revisions.at(-1) === listing.get(id)?.at(-1));
      listing = agree ? next : new Map([...listing, ...next]);
    }
    return listing;
  }

  /** Reads the highest readable of these revisions, or of newer ones; damaged ones above it are set aside. Undefined when there is none. */
  async newest(id: string, revisions: readonly number[]): Promise<Newest | undefined> {
    let left = [...revisions];
    for (let tries = 0; tries < 1000; tries++) {
      const revision = left.pop();
      if (revision === undefined) return undefined;
      try {
        const read = parseRecord(id, await readPublished(this.file(id, revision)));
        if (read.kind === "record") return { revision, record: read.record };
        if (read.kind === "newer") return { revision, record: undefined, problem: read.reason, passing: false };
        if (!(await this.#moveAside(id, revision, read.reason))) return { revision, record: undefined, problem: read.reason, passing: true };
      } catch (error) {
        const code = errnoOf(error);
        if (code === undefined) throw error;
        if (busy.has(code) && tries < 10) {
          left.push(revision);
          await this.#clock.sleep(20 * (tries + 1));
        } else if (busy.has(code)) {
          // To go on would be to say that the record does not exist.
          throw error;
        } else if (code === "ENOENT" && !(await isThere(this.file(id, revision)))) {
          // Somebody wrote a higher one and removed this, or set it aside.
          left = [...(await this.revisionsOf(id))];
        } else {
          // Unlike a damaged file, one that cannot be read now may be readable later, or by another process.
          return { revision, record: undefined, problem: code, passing: true };
        }
      }
    }
    throw new FlinkError("file-unreadable", { path: this.file(id, 1), reason: "ENOENT" });
  }

  /** Removes older revisions, lowest first, unless somebody is about to change the record. Never fails: it is only housekeeping. */
  async removeOlder(id: string, older: readonly number[]): Promise<void> {
    if (older.length === 0) return;
    try {
      const announced = await this.#livingDrafts((draft) => draft.startsWith(`${id}.`));
      if (announced.length > 0) return;
      for (const revision of older) await remove(this.file(id, revision), this.#drafts);
    } catch (error) {
      this.#log.debug(`Ledger: older versions of ${id} stay: ${String(error)}`);
    }
  }

  /** Clears up behind processes that died, the first time and then every hour. The listing's highest revisions must have been read. Never fails. */
  async tidy(listing: Listing): Promise<void> {
    const nowMs = this.#clock.now();
    if (nowMs - this.#tidiedAtMs < draftAgeMs) return;
    this.#tidiedAtMs = nowMs;
    try {
      await this.#livingDrafts(() => true);
      for (const [id, revisions] of listing) await this.removeOlder(id, revisions.slice(0, -1));
    } catch (error) {
      this.#log.debug(`Ledger: not tidied: ${String(error)}`);
    }
  }

  /** Looks into `damaged/`, whichever process put the files there, and when. Never fails. */
  async readAside(): Promise<void> {
    try {
      const names = (await namesIn(this.#aside)).filter((name) => /\.json(\.\d+)?$/.test(name));
      const reasons = await mapLimit(names, readsAtOnce, async (name) => this.#setAside.get(name) ?? this.#reasonFor(name));
      this.#setAside = new Map(names.map((name, at) => [name, reasons[at] ?? ""]));
    } catch (error) {
      this.#log.debug(`Ledger: ${this.#aside} cannot be read: ${String(error)}`);
    }
  }

  /** What lies in `damaged/`, as of the last look. */
  aside(): readonly DamagedRecord[] {
    return [...this.#setAside].map(([name, reason]) => ({ file: path.join(this.#aside, name), reason }));
  }

  /** A text that stays the same only while the folder does; undefined when that cannot be told. */
  async stamp(): Promise<string | undefined> {
    // Windows does not promise to keep the time of a folder up to date.
    if (process.platform === "win32") return undefined;
    const { mtimeMs, ctimeMs, ino } = (await statOf(this.path)) ?? {};
    // The file system's time is real time, so it is held against real time and not against the clock that was passed.
    return mtimeMs === undefined || Date.now() - mtimeMs < stampAgeMs ? undefined : `${mtimeMs} ${ctimeMs} ${ino}`;
  }

  /** The matching drafts of writers that may still live; those of the dead are removed with other left-overs, and of unknown writers once old. */
  async #livingDrafts(matches: (name: string) => boolean): Promise<readonly string[]> {
    const living: string[] = [];
    for (const name of (await namesIn(this.#drafts)).filter(matches)) {
      const file = path.join(this.#drafts, name);
      const writer = name.endsWith(trashSuffix) ? "dead" : (parseDraftName(name, thisProcess())?.writer ?? "unknown");
      const isOld = writer === "unknown" && Date.now() - ((await statOf(file))?.mtimeMs ?? Infinity) > draftAgeMs;
      if (writer === "dead" || isOld) await remove(file);
      else living.push(name);
    }
    return living;
  }

  /** Moves a damaged file to `damaged/` under its own name; nothing is ever removed from there. False when it had to stay. */
  async #moveAside(id: string, revision: number, reason: string): Promise<boolean> {
    const own = revisionName(id, revision);
    try {
      await mkdir(this.#aside, { recursive: true, mode: 0o700 });
      const taken = new Set(await namesIn(this.#aside));
      let name = own;
      for (let number = 2; taken.has(name); number++) name = `${own}.${number}`;
      await rename(this.file(id, revision), path.join(this.#aside, name));
      this.#setAside.set(name, reason);
      this.#log.warn(`Ledger: ${own} is damaged (${reason}) and was set aside as ${path.join(this.#aside, name)}.`);
      return true;
    } catch (error) {
      // Another process that saw it too may have been faster.
      if (errnoOf(error) === "ENOENT") throw error;
      this.#log.debug(`Ledger: ${own} cannot be set aside: ${String(error)}`);
      return false;
    }
  }

  async #reasonFor(name: string): Promise<string> {
    const id = parseRevisionName(name.replace(/\.\d+$/, ""))?.id ?? "";
    const read = await readPublished(path.join(this.#aside, name)).then((text) => parseRecord(id, text), () => undefined);
    return read === undefined || read.kind === "record" ? "set aside" : read.reason;
  }
}

/** Names in a folder; none when there is no folder. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

async function statOf(file: string): Promise<Stats | undefined> {
  return stat(file).catch(() => undefined);
}

async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(() => true, (error: unknown) => errnoOf(error) !== "ENOENT");
}
