import { FlinkError } from "../../src/core/errors";
import type { Disposable } from "../../src/core/base/disposable";
import { Emitter } from "../../src/core/base/event";
import { type LedgerRecord, ledgerRecordSchema, type RestoreRecord, type SavepointRecord } from "../../src/core/ledger/record";
import type { DamagedRecord, Ledger } from "../../src/core/ledger/store";
import { normaliseLocation } from "../../src/core/model/location";
import type { AsideStorage, Clock, ClusterClient, FoundFolder, Liveness, Log, PinMarks, ProcessIdentity, Run, StorageLook, Vault } from "../../src/core/ports";
import { pinPlace } from "../../src/core/cleanup/pinPlace";
import { CleanupService } from "../../src/services/cleanup";
import type { JobCleanup } from "../../src/core/cleanup/rules";
import { ClusterService } from "../../src/services/clusters";
import { DisposalService } from "../../src/services/disposals";
import { SavepointFollower } from "../../src/services/following";
import { JobService } from "../../src/services/jobs";
import { Reconciler } from "../../src/services/reconciler";
import { RestoreService } from "../../src/services/restores";
import { type SavepointRequest, SavepointService, type SavepointWorld } from "../../src/services/savepoints";
import { SimulatedFlink } from "./simulatedFlink";

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time that jumps to the next sleeper as soon as nobody has anything else to do: an hour passes in a moment, in the right order. */
export class JumpingClock implements Clock {
  #nowMs: number;
  readonly #sleepers: Sleeper[] = [];
  #jumping = false;
  #stopped = false;
  /** Jumps so far: how often anything slept. */
  jumps = 0;

  constructor(nowMs = Date.UTC(2026, 10, 20, 12)) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Time passes without anybody waking, as while a machine is suspended. */
  skip(ms: number): void {
    this.#nowMs += ms;
  }

  /** Nobody wakes any more; a test that still waits then fails as unfinished. */
  stop(): void {
    this.#stopped = true;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => {
        const at = this.#sleepers.indexOf(sleeper);
        if (at >= 0) this.#sleepers.splice(at, 1);
        reject(signal?.reason as Error);
      };
      const sleeper: Sleeper = {
        dueMs: this.#nowMs + ms,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#jumping || this.#stopped || this.#sleepers.length === 0) return;
    this.#jumping = true;
    // Everything in the fakes is made of microtasks: when this runs, nobody has anything to do but sleep.
    setImmediate(() => {
      this.#jumping = false;
      const next = this.#sleepers.reduce<Sleeper | undefined>((best, sleeper) => (best === undefined || sleeper.dueMs < best.dueMs ? sleeper : best), undefined);
      if (next === undefined || this.#stopped) return;
      if (++this.jumps > 50_000) return this.stop();
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.wake();
      this.#schedule();
    });
  }
}

/** The ledger's folder: what all windows share. Each record is checked against its schema when it is written. */
export class LedgerDisk {
  readonly #records = new Map<string, { readonly revision: number; readonly text: string }>();
  readonly #changed = new Emitter<readonly string[]>();
  readonly #clock: Clock;
  /** Called before each write is decided, so that a test can be faster, or fail it. */
  beforeWrite: (id: string, event: string) => void | Promise<void> = () => undefined;
  /** Files that hold a record which can't be read. */
  unread: readonly DamagedRecord[] = [];
  /** Every write that changed something, as `id: event`. */
  readonly writes: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The ledger as one window has it open. */
  open(): Ledger {
    return {
      all: async () => {
        await turn();
        return [...this.#records.values()].map(({ text }) => parse(text));
      },
      get: async (id) => {
        await turn();
        const found = this.#records.get(id);
        return found && parse(found.text);
      },
      create: async (record) => {
        await this.beforeWrite(record.id, "created");
        await turn();
        if (this.#records.has(record.id)) return false;
        this.#write(record, 1, "created");
        return true;
      },
      update: async <R extends LedgerRecord>(id: string, event: string, change: (record: R) => R): Promise<R> => {
        for (;;) {
          const before = this.#records.get(id);
          if (before === undefined) throw new FlinkError("ledger-record-damaged", { file: id, reason: "there is no such record" });
          const record = parse(before.text) as R;
          const changed = change(record);
          if (changed === record) return record;
          await this.beforeWrite(id, event);
          await turn();
          if (this.#records.get(id)?.revision !== before.revision) continue;
          const written = { ...changed, trail: [...changed.trail, { atMs: this.#clock.now(), event }] };
          this.#write(written, before.revision + 1, event);
          return written;
        }
      },
      damaged: () => this.unread,
      onDidChange: this.#changed.event,
    };
  }

  /** Loses a record, as a person does who deletes its file. */
  remove(id: string): void {
    this.#records.delete(id);
  }

  /** The records of one kind, straight from the disk. */
  savepoints(): SavepointRecord[] {
    return [...this.#records.values()].map(({ text }) => parse(text)).filter((record): record is SavepointRecord => record.kind === "savepoint");
  }

  restores(): RestoreRecord[] {
    return [...this.#records.values()].map(({ text }) => parse(text)).filter((record): record is RestoreRecord => record.kind === "restore");
  }

  /** Puts a record there as if an earlier process had written it. */
  put(record: LedgerRecord): void {
    this.#write(record, (this.#records.get(record.id)?.revision ?? 0) + 1, "put");
  }

  #write(record: LedgerRecord, revision: number, event: string): void {
    this.#records.set(record.id, { revision, text: JSON.stringify(ledgerRecordSchema.parse(record)) });
    this.writes.push(`${record.id}: ${event}`);
    this.#changed.fire([record.id]);
  }
}

/** What lies on the storage that JobManager and this machine share. */
export class SharedStorage {
  /** Folder by normalised location; the time is the storage's own. */
  readonly folders = new Map<string, { hasMetadata: boolean; modifiedAtMs: number; files: number }>();
  /** False: this machine sees nothing of it, as with S3. */
  visible = true;
  /** Folders that are links, with what they lead to, as normalised locations. */
  readonly links = new Map<string, string>();
  /** What has to happen before somebody looks: each JobManager does by then what was due. */
  readonly beforeLook: (() => void)[] = [];

  readonly look: StorageLook = {
    savepoint: async (location) => {
      await turn();
      for (const happen of this.beforeLook) happen();
      if (!this.visible) return "unreachable";
      const folder = this.folders.get(normaliseLocation(location));
      if (folder === undefined) return "missing";
      return folder.hasMetadata ? "metadata" : folder.files > 0 ? "partly" : "missing";
    },
    list: async (directory) => {
      await turn();
      for (const happen of this.beforeLook) happen();
      if (!this.visible) return undefined;
      return [...this.folders].flatMap(([location, folder]): FoundFolder[] =>
        (location.startsWith(`${normaliseLocation(directory)}/`) ? [{ location, hasMetadata: folder.hasMetadata, modifiedAtMs: folder.modifiedAtMs, sizeBytes: 4_096 }] : []));
    },
    real: async (location) => {
      await turn();
      const place = normaliseLocation(location);
      const link = [...this.links.keys()].find((from) => place.startsWith(`${from}/`));
      return link === undefined ? place : `${this.links.get(link) ?? ""}${place.slice(link.length)}`;
    },
  };

  /** Marks of pins, by the ledger that put them there. */
  readonly marks = new Set<string>();
  pins(ledger: string): PinMarks {
    const markOf = (location: string): string => `${pinPlace(normaliseLocation(location))}.${ledger}`;
    return {
      at: async (location) => {
        await turn();
        return [...this.marks].filter((mark) => mark.startsWith(`${pinPlace(normaliseLocation(location))}.`));
      },
      others: async (location) => {
        await turn();
        return [...this.marks].filter((mark) => mark.startsWith(`${pinPlace(normaliseLocation(location))}.`) && mark !== markOf(location));
      },
      put: async (location) => {
        await turn();
        if (!this.visible) return { marked: false, reason: "elsewhere" };
        this.marks.add(markOf(location));
        return { marked: true };
      },
      remove: async (location) => {
        await turn();
        this.marks.delete(markOf(location));
      },
    };
  }

  /** Happens in the middle of a move, before or after the folder is renamed: a crash, say. */
  moving: (moment: "before" | "after") => void | Promise<void> = () => undefined;
  /** Why no folder can be moved aside. */
  obstacle: string | undefined = undefined;

  readonly aside: AsideStorage = {
    obstacle: async () => {
      await turn();
      return this.obstacle;
    },
    move: async (from, to) => {
      await this.moving("before");
      const folder = this.folders.get(normaliseLocation(from));
      if (folder === undefined || this.folders.has(normaliseLocation(to)) || this.obstacle !== undefined) throw new FlinkError("move-failed", { from, to, reason: this.obstacle ?? "ENOENT" });
      this.folders.delete(normaliseLocation(from));
      this.folders.set(normaliseLocation(to), folder);
      await this.moving("after");
    },
    tidy: () => turn(),
  };

  put(location: string, atMs: number, hasMetadata = true): void {
    this.folders.set(normaliseLocation(location), { hasMetadata, modifiedAtMs: atMs, files: 1 });
  }

  complete(): string[] {
    return [...this.folders].flatMap(([location, folder]) => (folder.hasMetadata ? [location] : []));
  }
}

/** One window: every service, over a simulated Flink and a ledger that other windows may share. */
export interface Window extends Disposable {
  readonly self: ProcessIdentity;
  readonly shared: SavepointWorld;
  readonly liveness: (owner: ProcessIdentity) => Liveness;
  readonly ledger: Ledger;
  readonly clusters: ClusterService;
  readonly jobs: JobService;
  readonly follower: SavepointFollower;
  readonly savepoints: SavepointService;
  readonly restores: RestoreService;
  readonly disposals: DisposalService;
  readonly cleanup: CleanupService;
  readonly reconciler: Reconciler;
  readonly log: Log & { readonly lines: string[] };
  /** Ids of records whose operation this window told the end of. */
  readonly settled: string[];
}

/** Everything outside the windows. */
export interface World {
  readonly clock: JumpingClock;
  readonly disk: LedgerDisk;
  readonly storage: SharedStorage;
  /** Clusters by address. */
  readonly flinks: ReadonlyMap<string, SimulatedFlink>;
  /** Instances of processes that live; a window adds its own, and `die` takes it out. */
  readonly alive: Set<string>;
  /** What the rules are for every job. */
  cleanup: JobCleanup;
  /** Names of tags that somebody keeps, by the id of the savepoint's record. */
  readonly tags: Map<string, readonly string[]>;
  readonly vault: Vault & { readonly kept: Map<string, string> };
  /** Windows that are open. */
  readonly windows: Set<Window>;
}

/** One cluster with its world: what most tests begin with. */
export function oneCluster(clock = new JumpingClock()): { clock: JumpingClock; storage: SharedStorage; flink: SimulatedFlink; world: World } {
  const storage = new SharedStorage();
  const flink = new SimulatedFlink(clock, storage);
  return { clock, storage, flink, world: makeWorld(clock, storage, flink) };
}

/** Two clusters that share a storage, `local` and `staging`, with their world. */
export function twoClusters(clock = new JumpingClock()): ReturnType<typeof oneCluster> & { other: SimulatedFlink } {
  const storage = new SharedStorage();
  const flink = new SimulatedFlink(clock, storage);
  const other = new SimulatedFlink(clock, storage, "http://staging:8081", "staging");
  return { clock, storage, flink, other, world: makeWorld(clock, storage, flink, other) };
}

/** Closes the windows that are still open, and lets nobody wake any more. */
export function endWorld({ windows, clock }: World): void {
  for (const window of windows) window.dispose();
  clock.stop();
}

/** A world of these clusters, in which nothing has happened yet. */
export function makeWorld(clock: JumpingClock, storage: SharedStorage, ...flinks: readonly SimulatedFlink[]): World {
  const kept = new Map<string, string>();
  return {
    cleanup: { enabled: false, rules: null, source: null }, tags: new Map(), windows: new Set(), clock, storage, disk: new LedgerDisk(clock), alive: new Set(), flinks: new Map(flinks.map((flink) => [flink.url, flink])),
    vault: {
      kept,
      get: (key) => Promise.resolve(kept.get(key)),
      set: (key, value) => Promise.resolve(void kept.set(key, value)),
      delete: (key) => Promise.resolve(void kept.delete(key)),
    },
  };
}

let processes = 0;
let ids = 0;

/** Opens a window, which `endWorld` closes. `host` other than `here` is another machine. */
export function openWindow(world: World, options: { readonly host?: string; readonly receiveGraceMs?: number } = {}): Window {
  const { clock, disk, storage, flinks, alive } = world;
  const self = { host: options.host ?? "here", pid: ++processes, instance: `window-${processes}` };
  alive.add(self.instance);
  const lines: string[] = [];
  const keep = (level: string) => (message: string | Error, ...more: unknown[]): void => void lines.push([level, String(message), ...more.map(String)].join(" "));
  const log = { lines, trace: keep("trace"), debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") };
  const ledger = disk.open();
  const clientOf = (url: string): ClusterClient => {
    const flink = flinks.get(url);
    if (flink === undefined) throw new Error(`no such cluster: ${url}`);
    return flink.client();
  };
  const clusters = new ClusterService((profile) => clientOf(profile.url), ledger, clock, log);
  const jobs = new JobService(clusters, ledger, clock, log, self);
  const follower = new SavepointFollower(clusters, jobs, ledger, storage.look, clock, log, options.receiveGraceMs ?? 10_000);
  const shared: SavepointWorld = {
    clusters, jobs, follower, ledger, clock, log, self, programGraceMs: 120_000, vault: world.vault, pins: storage.pins("ours"),
    newId: () => (++ids).toString(16).padStart(32, "f"), workspaceCommit: () => Promise.resolve(null),
  };
  const savepoints = new SavepointService(shared);
  const restores = new RestoreService(shared, savepoints, storage.look);
  const disposals = new DisposalService(shared, storage.look);
  const liveness = (owner: ProcessIdentity): Liveness =>
    (owner.instance === self.instance ? "self" : owner.host !== self.host ? "other-host" : alive.has(owner.instance) ? "alive" : "dead");
  const reconciler = new Reconciler(shared, restores, disposals, liveness);
  const cleanup = new CleanupService({ shared, disposals, look: storage.look, aside: storage.aside, isRelocatable: () => Promise.resolve(true), find: () => world.cleanup, tagsNeeded: () => Promise.resolve(world.tags), liveness });
  clusters.setProfiles([...flinks.values()].map(({ url, name }) => ({ name, url })));
  const settled: string[] = [];
  savepoints.onDidSettle((record) => settled.push(record.id));
  restores.starts.onDidSettle((record) => settled.push(record.id));
  const window: Window = {
    self, shared, liveness, ledger, clusters, jobs, follower, savepoints, restores, disposals, cleanup, reconciler, log, settled,
    dispose: () => {
      alive.delete(self.instance);
      world.windows.delete(window);
      reconciler.dispose();
      cleanup.dispose();
      follower.dispose();
    },
  };
  world.windows.add(window);
  return window;
}

/** A run whose steps are kept, and which `abort` ends as a person's Cancel does. */
export function watchedRun(): Run & { readonly steps: string[]; abort(): void } {
  const ending = new AbortController();
  const steps: string[] = [];
  return { signal: ending.signal, steps, report: ({ message }) => void steps.push(message), abort: () => ending.abort() };
}

/** A savepoint with nothing chosen. */
export const toDefault: SavepointRequest = { directory: null, format: "canonical", description: "" };

/** One microtask, as every answer takes at least. */
function turn(): Promise<void> {
  return Promise.resolve();
}

/** Waits, in virtual time, until something is so. */
export async function until(clock: JumpingClock, what: string, is: () => boolean): Promise<void> {
  for (let waitedMs = 0; !is(); waitedMs += 50) {
    if (waitedMs > 600_000) throw new Error(`not in ten minutes: ${what}`);
    await clock.sleep(50);
  }
}

function parse(text: string): LedgerRecord {
  return JSON.parse(text) as LedgerRecord;
}
