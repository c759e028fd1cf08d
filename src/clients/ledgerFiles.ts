import { type FSWatcher, watch } from "node:fs";
import { KeyedQueue, mapLimit } from "../core/base/async";
import type { Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import { FlinkError, isFlinkError } from "../core/errors";
import type { LedgerRecord } from "../core/ledger/record";
import type { DamagedRecord, Ledger } from "../core/ledger/store";
import type { Clock, Log } from "../core/ports";
import { errnoOf, makeFolder, type PublishWay, syncFolder } from "./atomicFile";
import { LedgerFolder, type Newest, readsAtOnce } from "./ledgerFolder";
import { isSafeId, parseRevisionName } from "./ledgerNames";
import { formatRecord, withTrail } from "./ledgerText";

/** The ledger on disk, which can also be watched. */
export interface LedgerFiles extends Ledger {
  /** From now on `onDidChange` fires for other processes' writes without a read, within a second. Best effort: reads never depend on it. */
  watch(): Disposable;
}

/**
 * The ledger in a folder that any number of processes share without locks; nothing is touched before the first use.
 *
 * Each version of a record is a file `<id>.<revision>.json`, complete from the moment it has its name and never changed after. A write:
 * 1. makes a draft in `drafts/` whose name says: "I am about to change this record";
 * 2. lists the folder and reads the highest revision n;
 * 3. fills the draft, flushes it, and gives it the name of revision n + 1, which fails when that exists (back to 1: someone was faster);
 * 4. flushes the folder, removes the draft, and then the older revisions, unless another draft names the same record.
 *
 * The last condition keeps n + 1 from being used and removed again between 2 and 3, so that success means "nobody was faster". It does not
 * depend on telling the dead from the living: a draft may be removed at any time, since step 3 then fails and the writer starts over.
 * The highest revision is never removed. A process killed at any point leaves at most a draft and older revisions, both removed later.
 *
 * `publish` says how a draft gets its name; when absent it is found out. Reads throw `file-unreadable` when the folder cannot be read.
 */
export function openLedger(options: { readonly folder: string; readonly log: Log; readonly clock: Clock; readonly publish?: PublishWay }): LedgerFiles {
  return new SharedLedger(new LedgerFolder(options.folder, options.log, options.clock), options.log, options.clock, options.publish ?? "link");
}

/** Failures of one write in a row without anybody else's success: then something is wrong with the folder. */
const stuckAfter = 25;

/** One round of a write; `again` names the revision that could not be written. */
type Attempt = { readonly outcome: "done"; readonly record: LedgerRecord | undefined } | { readonly outcome: "again"; readonly revision: number };

/** Makes the next version from the newest, or undefined for "write nothing". */
type Make = (newest: Newest | undefined) => LedgerRecord | undefined;

class SharedLedger implements LedgerFiles {
  readonly #files: LedgerFolder;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #changes = new Emitter<readonly string[]>();
  readonly #writes = new KeyedQueue();
  /** The newest revision known of each record. */
  readonly #known = new Map<string, Newest>();
  #publish: PublishWay;
  #loaded = false;
  /** The records of `#known`, until one changes. */
  #records: readonly LedgerRecord[] | undefined;
  /** The folder's stamp before the last listing. */
  #stamp: string | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #queued: Promise<readonly LedgerRecord[]> | undefined;

  readonly onDidChange = this.#changes.event;

  constructor(files: LedgerFolder, log: Log, clock: Clock, publish: PublishWay) {
    this.#files = files;
    this.#log = log;
    this.#clock = clock;
    this.#publish = publish;
  }

  all(): Promise<readonly LedgerRecord[]> {
    // Callers share the next read to start, never one that began before they asked.
    if (this.#queued !== undefined) return this.#queued;
    const read = this.#reading.then(() => {
      this.#queued = undefined;
      return this.#reads(() => this.#readAll());
    });
    this.#queued = read;
    this.#reading = read.catch(() => undefined);
    return read;
  }

  async get(id: string): Promise<LedgerRecord | undefined> {
    if (!isSafeId(id)) return undefined;
    return this.#reads(async () => {
      // One listing alone can miss a record that is being changed at that moment.
      let revisions = await this.#files.revisionsOf(id);
      if (revisions.length === 0) revisions = await this.#files.revisionsOf(id);
      const changed = this.#isNews(id, revisions) && (await this.#refresh(id, revisions));
      const record = this.#known.get(id)?.record;
      this.#fire(changed && this.#loaded ? [id] : []);
      return record;
    });
  }

  async create(record: LedgerRecord): Promise<boolean> {
    return (await this.#write(record.id, (newest) => (newest === undefined ? record : undefined))) !== undefined;
  }

  async update<R extends LedgerRecord>(id: string, event: string, change: (record: R) => R): Promise<R> {
    let unchanged: R | undefined;
    const written = await this.#write(id, (newest) => {
      if (newest?.record === undefined) {
        throw new FlinkError("ledger-record-damaged", { file: this.#files.file(id, newest?.revision ?? 1), reason: newest?.problem ?? "there is no such record" });
      }
      const changed = change(newest.record as R);
      unchanged = changed === newest.record ? changed : undefined;
      return unchanged === undefined ? withTrail(changed, this.#clock.now(), event) : undefined;
    });
    return (written ?? unchanged) as R;
  }

  damaged(): readonly DamagedRecord[] {
    const inPlace = [...this.#known].flatMap(([id, newest]) =>
      newest.record === undefined ? [{ file: this.#files.file(id, newest.revision), reason: newest.problem }] : []);
    return [...inPlace, ...this.#files.aside()];
  }

  watch(): Disposable {
    let watcher: FSWatcher | undefined;
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;
    const stop = (): void => {
      stopped = true;
      clearTimeout(timer);
      watcher?.close();
    };
    const notice = (name: string | null): void => {
      const file = name === null ? undefined : parseRevisionName(name);
      if (stopped || timer !== undefined || (name !== null && file === undefined)) return;
      if (file !== undefined && file.revision <= (this.#known.get(file.id)?.revision ?? 0)) return;
      timer = setTimeout(() => {
        timer = undefined;
        this.all().catch((error: unknown) => this.#log.debug(`Ledger: not read after a change: ${String(error)}`));
      }, 200);
      timer.unref();
    };
    const start = async (): Promise<void> => {
      await makeFolder(this.#files.path);
      if (stopped) return;
      watcher = watch(this.#files.path, { persistent: false }, (_event, name) => notice(name));
      watcher.on("error", (error) => {
        this.#log.debug(`Ledger: no longer watched: ${String(error)}`);
        stop();
      });
      // For what happened before the watch stood.
      notice(null);
    };
    start().catch((error: unknown) => this.#log.debug(`Ledger: cannot be watched: ${String(error)}`));
    return { dispose: stop };
  }

  async #readAll(): Promise<readonly LedgerRecord[]> {
    const stamp = await this.#files.stamp();
    if (this.#records !== undefined && stamp !== undefined && stamp === this.#stamp) return this.#records;
    const newsIn = (listing: ReadonlyMap<string, readonly number[]>): string[] =>
      [...new Set([...listing.keys(), ...this.#known.keys()])].filter((id) => this.#isNews(id, listing.get(id)));
    const listing = await this.#files.listSettled((seen) => newsIn(seen).length > 0);
    const news = newsIn(listing);
    const isChanged = await mapLimit(news, readsAtOnce, (id) => this.#refresh(id, listing.get(id)));
    await this.#files.readAside();
    await this.#files.tidy(new Map([...listing].filter(([id, revisions]) => revisions.length > 1 && this.#isReadable(id, revisions.at(-1)))));
    // What could not be read is tried again, even though its folder is the same.
    this.#stamp = [...this.#known.values()].some((newest) => newest.record === undefined && newest.passing) ? undefined : stamp;
    this.#records ??= [...this.#known.values()].flatMap((newest) => (newest.record === undefined ? [] : [newest.record]));
    const records = this.#records;
    const isFirst = !this.#loaded;
    this.#loaded = true;
    this.#fire(isFirst ? [] : news.filter((_id, at) => isChanged[at]));
    return records;
  }

  async #write(id: string, make: Make): Promise<LedgerRecord | undefined> {
    if (!isSafeId(id)) throw new FlinkError("ledger-record-damaged", { file: this.#files.path, reason: "the record's id cannot be a file name" });
    return this.#writes.run(id, async () => {
      try {
        for (let failures = 1, last = 0; ; failures++) {
          const attempt = await this.#attempt(id, make);
          if (attempt.outcome === "done") return attempt.record;
          if (attempt.revision !== last) failures = 1;
          last = attempt.revision;
          if (failures > stuckAfter) throw new FlinkError("ledger-unwritable", { folder: this.#files.path, reason: "EEXIST" });
          await this.#clock.sleep(Math.random() * Math.min(40, 2 ** failures));
        }
      } catch (error) {
        const code = errnoOf(error);
        throw isFlinkError(error) || code === undefined ? error : new FlinkError("ledger-unwritable", { folder: this.#files.path, reason: code }, { cause: error });
      }
    });
  }

  async #attempt(id: string, make: Make): Promise<Attempt> {
    const draft = await this.#files.announce(id, this.#publish);
    let revisions: readonly number[];
    let written: Newest & { readonly record: LedgerRecord };
    try {
      revisions = await this.#files.revisionsOf(id);
      const newest = await this.#files.newest(id, revisions);
      const wanted = make(newest);
      if (wanted === undefined) return { outcome: "done", record: undefined };
      const revision = (newest?.revision ?? 0) + 1;
      const target = this.#files.file(id, revision);
      if (wanted.id !== id) throw new FlinkError("ledger-record-damaged", { file: target, reason: "a record cannot change its id" });
      const { text, record } = formatRecord(wanted, target);
      const published = await draft.publish(text, target);
      if (published === "no-links") this.#publish = "folder";
      if (published !== "published") return { outcome: "again", revision };
      // When this fails a power cut may undo the write, so the caller must not go on; others may have built on it, so it stays.
      await syncFolder(this.#files.path);
      written = { revision, record };
    } finally {
      await draft.withdraw();
    }
    await this.#files.removeOlder(id, revisions.filter((revision) => revision < written.revision));
    this.#fire(this.#remember(id, written, undefined) ? [id] : []);
    return { outcome: "done", record: written.record };
  }

  #isNews(id: string, revisions: readonly number[] | undefined): boolean {
    const known = this.#known.get(id);
    return known?.revision !== revisions?.at(-1) || (known !== undefined && known.record === undefined && known.passing);
  }

  #isReadable(id: string, revision: number | undefined): boolean {
    const known = this.#known.get(id);
    return known?.record !== undefined && known.revision === revision;
  }

  /** Reads a record's newest revision. True when it is not what was known. */
  async #refresh(id: string, listed: readonly number[] = []): Promise<boolean> {
    const before = this.#known.get(id);
    // What is known is asked for as well: a write of our own may be newer than the listing.
    const revisions = new Set([...listed, ...(before === undefined ? [] : [before.revision])]);
    return this.#remember(id, await this.#files.newest(id, [...revisions].sort((a, b) => a - b)), before);
  }

  /** Keeps what was read, unless something newer than `before` came in meanwhile. True when it is not what was known. */
  #remember(id: string, newest: Newest | undefined, before: Newest | undefined): boolean {
    const now = this.#known.get(id);
    if (now !== undefined && now !== before && now.revision >= (newest?.revision ?? 0)) return false;
    if (newest?.revision === now?.revision && (newest?.record === undefined) === (now?.record === undefined)) return false;
    if (newest === undefined) this.#known.delete(id);
    else this.#known.set(id, newest);
    this.#records = undefined;
    if (newest !== undefined && newest.record === undefined) this.#log.warn(`Ledger: ${this.#files.file(id, newest.revision)} is left alone: ${newest.problem}.`);
    return true;
  }

  /** To take a folder that cannot be read for an empty one would be a guess. */
  async #reads<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      const code = errnoOf(error);
      throw code === undefined ? error : new FlinkError("file-unreadable", { path: this.#files.path, reason: code }, { cause: error });
    }
  }

  #fire(ids: readonly string[]): void {
    if (ids.length === 0) return;
    try {
      this.#changes.fire(ids);
    } catch (error) {
      // The write stands, whatever a listener makes of it.
      this.#log.error(error instanceof Error ? error : String(error));
    }
  }
}
