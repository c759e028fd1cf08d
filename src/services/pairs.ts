import { isAbort, unlessAborted } from "../core/base/async";
import { answersBack } from "../core/paimon/askedBack";
import { isFlinkError } from "../core/errors";
import { explain } from "../core/explain";
import { serve, type WireError } from "../core/rpc";
import type { Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import { filesOf, liesAside, type PairRecord, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import { localPath, placeKey } from "../core/model/location";
import { pairRecord, pairRecordsIn, rememberedOf, withRemembered } from "../core/paimon/remembered";
import type { PairsApi, PairsQuery, PlacedPairs, SinkPair } from "../core/paimon/savepointPairs";
import type { Clock, Log, Thread } from "../core/ports";
import { ThreadSession } from "./threadSession";
import type { WarehouseService } from "./warehouses";

/** A savepoint whose pairs are asked for. */
export interface PairedPlace {
  readonly path: string;
  /** Where its files are, if not there: cleanup moved them. */
  readonly filesAt?: string;
  readonly recordId: string | null;
  /** When it was complete, epoch milliseconds; null where only its file tells. */
  readonly completedMs: number | null;
}

/** What is known of a savepoint's pairs. */
export interface KnownPairs extends PlacedPairs {
  readonly path: string;
  /** When it was looked at, epoch milliseconds. */
  readonly atMs: number;
}

interface Known {
  readonly pairs: KnownPairs | undefined;
  readonly failure: string | undefined;
  readonly atMs: number;
}

/** A look that waits for its turn. */
interface Look {
  readonly key: string;
  /** Never rejects. */
  begin(): Promise<void>;
}

/** A savepoint that a record stands for, with the time by Flink's own statistics. */
export function pairedPlace(record: SavepointRecord): PairedPlace | undefined {
  return record.path === null || record.state !== "completed" ? undefined : { path: record.path, ...(liesAside(record) ? { filesAt: filesOf(record) } : {}), recordId: record.id, completedMs: record.endedAtMs };
}

/**
 * Which tags and snapshots of Paimon belong to which savepoints. Reading happens on a thread of its own; what was proven is written into the ledger
 * when it is first seen, and compared with ever after.
 */
export class PairService implements Disposable {
  readonly #session: ThreadSession<PairsApi>;
  readonly #warehouses: WarehouseService;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Replaced as a whole with the warehouses: a look that is under way then is of the old ones. */
  #known = new Map<string, Known>();
  #looking = new Map<string, Promise<KnownPairs | undefined>>();
  readonly #changed: Emitter<string>;
  /** Looks that have not begun, by how soon they are wanted, each in the order in which it was asked for. */
  readonly #waiting: Readonly<Record<"now" | "later", Look[]>> = { now: [], later: [] };
  #isLooking = false;

  /** Fires with the path of a savepoint whose pairs are others than before. */
  readonly onDidChange;

  constructor(start: () => Thread, warehouses: WarehouseService, ledger: Ledger, clock: Clock, log: Log) {
    this.#session = new ThreadSession<PairsApi>("Paimon warehouses", start, clock, log, (port) => serve(port, answersBack((path) => warehouses.tablesOf(warehouses.profile(path))), wireError));
    this.#warehouses = warehouses;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#log = log;
    this.#changed = new Emitter((error) => log.error("a listener to pairs", error));
    this.onDidChange = this.#changed.event;
    warehouses.onDidChange(() => {
      this.#known = new Map();
      this.#looking = new Map();
    });
  }

  /** What was found last, without looking; undefined when nothing was. */
  known(path: string): KnownPairs | undefined {
    return this.#known.get(placeKey(path))?.pairs;
  }

  /** Why the last look failed, as a sentence. */
  failure(path: string): string | undefined {
    return this.#known.get(placeKey(path))?.failure;
  }

  /** True when there are warehouses to pair with. */
  get isUsed(): boolean {
    return this.#warehouses.list().length > 0;
  }

  /**
   * The pairs of a savepoint, looked at anew unless that was done within `freshMs`; one look at a time, those first that somebody waits for (`now`), and
   * what only keeps rows current (`later`) after. Without a warehouse its sinks are found all the same, each without a table. Undefined when the savepoint
   * can't be read from here. Rejects with the signal's reason only.
   */
  async pairsOf(place: PairedPlace, freshMs: number, signal?: AbortSignal, wanted: "now" | "later" = "now"): Promise<KnownPairs | undefined> {
    const key = placeKey(place.path);
    const known = this.#known.get(key);
    if (known !== undefined && this.#clock.now() - known.atMs < freshMs) return known.pairs;
    if (localPath(place.path) === undefined) return undefined;
    let looking = this.#looking.get(key);
    if (looking === undefined) {
      const under = this.#looking;
      looking = new Promise<KnownPairs | undefined>((resolve, reject) => {
        this.#waiting[wanted].push({ key, begin: () => this.#look(place).then(resolve, reject) });
      }).finally(() => under.delete(key));
      under.set(key, looking);
      this.#next();
    } else if (wanted === "now") {
      this.#hurry(key);
    }
    return unlessAborted(looking, signal);
  }

  dispose(): void {
    this.#session.dispose();
    this.#changed.dispose();
  }

  #next(): void {
    if (this.#isLooking) return;
    const look = this.#waiting.now.shift() ?? this.#waiting.later.shift();
    if (look === undefined) return;
    this.#isLooking = true;
    void look.begin().finally(() => {
      this.#isLooking = false;
      this.#next();
    });
  }

  /** Somebody waits now for what nobody waited for. */
  #hurry(key: string): void {
    const { now, later } = this.#waiting;
    const at = later.findIndex((look) => look.key === key);
    if (at >= 0) now.push(...later.splice(at, 1));
  }

  async #look(place: PairedPlace): Promise<KnownPairs | undefined> {
    const key = placeKey(place.path);
    const all = this.#known;
    const before = all.get(key);
    const atMs = this.#clock.now();
    let known: Known;
    try {
      const records = pairRecordsIn(await this.#ledger.all());
      const query: PairsQuery & { readonly known: string } = { known: place.path, savepoint: place.filesAt ?? place.path, completedMs: place.completedMs, warehouses: await this.#reachable(), likely: [...new Set([...records.values()].map(({ table }) => table))] };
      const found = await this.#session.ask("pairs", query, AbortSignal.timeout(120_000));
      const pairs: SinkPair[] = [];
      for (const pair of found.pairs) pairs.push(await this.#remembered(place, found, pair, records));
      known = { atMs, failure: undefined, pairs: { ...found, pairs, path: place.path, atMs } };
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      if (!isAbort(error)) this.#log.info(`pairing ${place.path}: ${sentence}`);
      known = { atMs, failure: sentence, pairs: before?.pairs };
    }
    all.set(key, known);
    if (contentOf(before) !== contentOf(known)) this.#changed.fire(place.path);
    return known.pairs;
  }

  /** The pairing with what the ledger remembers of it; writes it down when it is proven for the first time. */
  async #remembered(place: PairedPlace, found: PlacedPairs, pair: SinkPair, records: ReadonlyMap<string, PairRecord>): Promise<SinkPair> {
    if (pair.place === null) return pair;
    const before = rememberedOf(records, [found.realPath, place.path], pair.place);
    const pairing = withRemembered(pair.pairing, before);
    if (before === undefined) {
      const record = pairRecord({ path: place.path, realPath: found.realPath, recordId: place.recordId, checkpointId: found.checkpointId }, pair, this.#clock.now());
      if (record !== undefined) await this.#ledger.create(record).catch((error: unknown) => this.#log.warn("remembering a pair", error));
    }
    return { ...pair, pairing };
  }

  async #reachable(): Promise<PairsQuery["warehouses"]> {
    const found: PairsQuery["warehouses"][number][] = [];
    for (const profile of this.#warehouses.list()) {
      const reach = await this.#warehouses.reach(profile).catch(() => undefined);
      if (reach !== undefined) found.push({ path: profile.path, folder: reach.way === "files" ? reach.folder : null });
    }
    return found;
  }
}

function wireError(error: unknown): WireError {
  return isFlinkError(error) ? { code: error.code, sentence: explain(error).message } : { code: "unexpected", sentence: error instanceof Error ? error.message : String(error) };
}

/** What of it shows; times of looking do not. */
function contentOf(known: Known | undefined): string {
  return JSON.stringify([known?.failure, known?.pairs?.pairs], (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}
