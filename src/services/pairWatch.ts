import { Backoff, isAbort } from "../core/base/async";
import type { Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import type { PaimonSnapshotRef } from "../core/contributions";
import { isUsable, jobOf, type SavepointRecord } from "../core/ledger/record";
import type { Ledger } from "../core/ledger/store";
import { isTerminal } from "../core/model/job";
import { localPath } from "../core/model/location";
import { pairTitle } from "../core/paimon/pairText";
import type { SinkPair } from "../core/paimon/savepointPairs";
import type { Clock, Log } from "../core/ports";
import type { ClusterService } from "./clusters";
import type { JobService } from "./jobs";
import { pairedPlace, type PairService } from "./pairs";

/** What it works with. */
export interface PairWatchWorld {
  readonly ledger: Ledger;
  readonly pairs: PairService;
  readonly clusters: ClusterService;
  readonly jobs: JobService;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why tags of a savepoint will not come, or not by themselves. */
export type TagsMissing =
  /** The job ended before the checkpoint that commits the savepoint (P-6). */
  | "job-ended"
  /** The job takes no checkpoints by itself (P-6); one can be triggered. */
  | "no-checkpoints"
  /** Stopped with drain: committed as the end of the input. */
  | "drained"
  /** `sink.savepoint.auto-tag` was off (P-7). */
  | "auto-tag-off"
  /** Committed, and nothing tagged it: the checkpoint was aborted, or the tag of that number is another's. */
  | "not-tagged"
  /** What belongs to the savepoint can't be told. */
  | "unproven";

/** A savepoint whose tags are there, or will not come. */
export interface PairsSettled {
  readonly record: SavepointRecord;
  /** Tables without a tag of it, by cause; empty when every table has what there is to have. */
  readonly missing: readonly { readonly why: TagsMissing; readonly tables: readonly string[] }[];
  /** Snapshots of those tables that are proven and can still be tagged (P-18). */
  readonly taggable: readonly PaimonSnapshotRef[];
}

/** Savepoints that were complete longer ago are not watched any more when a window starts. */
const patienceMs = 24 * 3_600_000;
/** Of one that was complete longer ago nothing is told. */
const tellWithinMs = 6 * 3_600_000;
/** Savepoints that are watched at a time, the newest. */
const most = 20;
/** A commit and its tag come within moments of each other, and a snapshot's file moments after the checkpoint. */
const momentMs = 15_000;

/**
 * Watches a savepoint of a job with Paimon sinks after it is complete, until its tags are there or will not come (P-5, P-6), and tells that once. What is
 * still open is found in the ledger, so it goes on after a reload; of several windows one tells.
 */
export class PairWatch implements Disposable {
  readonly #world: PairWatchWorld;
  readonly #life = new AbortController();
  readonly #watched = new Set<string>();
  readonly #settled = new Emitter<PairsSettled>();
  #listening: Disposable | undefined;

  /** Fires once for each savepoint, in the window that saw it first. */
  readonly onDidSettle = this.#settled.event;

  constructor(world: PairWatchWorld) {
    this.#world = world;
  }

  /** Takes up what is open, and what completes from now on. */
  async start(): Promise<void> {
    this.#listening = this.#world.ledger.onDidChange(() => void this.#take().catch((error: unknown) => this.#world.log.warn("looking for savepoints to be paired", error)));
    await this.#take();
  }

  dispose(): void {
    this.#life.abort();
    this.#listening?.dispose();
    this.#settled.dispose();
  }

  async #take(): Promise<void> {
    const { ledger, pairs, clock, log } = this.#world;
    if (!pairs.isUsed) return;
    const sinceMs = clock.now() - patienceMs;
    const open = (await ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && isUsable(record) && record.tagsSettledAtMs === undefined && (record.endedAtMs ?? 0) > sinceMs && localPath(record.path ?? "") !== undefined);
    open.sort((a, b) => (b.endedAtMs ?? 0) - (a.endedAtMs ?? 0));
    for (const record of open.slice(0, most)) {
      if (this.#watched.has(record.id)) continue;
      this.#watched.add(record.id);
      this.#watch(record).catch((error: unknown) => {
        if (!isAbort(error)) log.warn(`watching the tags of ${record.id}`, error);
      });
    }
  }

  async #watch(record: SavepointRecord): Promise<void> {
    const { pairs, clock } = this.#world;
    const place = pairedPlace(record);
    if (place === undefined) return;
    const pause = new Backoff(1_000, 20_000);
    for (;;) {
      const found = await pairs.pairsOf(place, 0, this.#life.signal, "later");
      // Without a sink of Paimon there is nothing to wait for; what can't be read now may be later, and is looked at by the next window.
      if (found === undefined || found.pairs.length === 0) return;
      if (found.pairs.some(({ pairing }) => pairing.grade === "waiting")) await this.#lookAtJob(record);
      const missing = this.#verdict(record, found.pairs);
      if (missing !== undefined) return this.#settle(record, missing, found.pairs);
      await clock.sleep(pause.next(), this.#life.signal);
    }
  }

  /** Whether it still runs, and takes checkpoints; a cluster that does not answer leaves it open. */
  async #lookAtJob(record: SavepointRecord): Promise<void> {
    const { clusters, jobs } = this.#world;
    const job = jobOf(record);
    const signal = AbortSignal.any([this.#life.signal, AbortSignal.timeout(30_000)]);
    await clusters.refresh(job.cluster, signal);
    const runs = clusters.get(job.cluster)?.jobs.some(({ jobId, state }) => jobId === job.jobId && !isTerminal(state)) === true;
    if (runs && jobs.observation(job)?.config === undefined) await jobs.observe(job, signal);
  }

  /** Undefined while a tag may still come by itself. */
  #verdict(record: SavepointRecord, pairs: readonly SinkPair[]): PairsSettled["missing"] | undefined {
    const job = this.#jobState(record);
    const ageMs = this.#world.clock.now() - (record.endedAtMs ?? 0);
    const missing = new Map<TagsMissing, string[]>();
    for (const pair of pairs) {
      const why = this.#whyMissing(pair, job, ageMs);
      if (why === "open") return undefined;
      if (why !== null) missing.set(why, [...(missing.get(why) ?? []), pairTitle(pair)]);
    }
    return [...missing].map(([why, tables]) => ({ why, tables }));
  }

  #whyMissing({ pairing, sink, place }: SinkPair, job: JobNow, ageMs: number): TagsMissing | "open" | null {
    switch (pairing.grade) {
      case "exact": case "idle": return null;
      case "drained": return pairing.tags.length > 0 ? null : "drained";
      case "waiting":
        if (job.runs === false) return ageMs > momentMs ? "job-ended" : "open";
        return job.runs === true && job.intervalMs === null && ageMs > momentMs ? "no-checkpoints" : "open";
      case "unprotected": case "foreign":
        if (!sink.autoTag) return "auto-tag-off";
        return pairing.snapshot !== null && this.#world.clock.now() - pairing.snapshot.timeMs < momentMs ? "open" : "not-tagged";
      case "none":
        // Where nothing was written no tag comes, whatever can't be told of the table.
        if (pairing.reasons.some(({ code }) => code === "base-untold")) return null;
        return place === null || ageMs > momentMs ? "unproven" : "open";
      case "stale-tag": case "changed": return ageMs > momentMs ? "unproven" : "open";
    }
  }

  /** What is known of the job; `runs` null while its cluster does not answer. */
  #jobState(record: SavepointRecord): JobNow {
    const { clusters, jobs } = this.#world;
    const job = jobOf(record);
    const view = clusters.get(job.cluster);
    const state = view?.reach.state === "online" ? (view.jobs.find(({ jobId }) => jobId === job.jobId)?.state ?? "gone") : null;
    const observation = jobs.observation(job);
    // Without having looked at the job nothing is known of its checkpoints.
    return { runs: state === null || (state !== "gone" && !isTerminal(state) && observation?.config === undefined) ? null : state !== "gone" && !isTerminal(state), intervalMs: observation?.config?.intervalMs ?? null };
  }

  async #settle(record: SavepointRecord, missing: PairsSettled["missing"], pairs: readonly SinkPair[]): Promise<void> {
    const { ledger, clock } = this.#world;
    const atMs = clock.now();
    let mine = false;
    const event = missing.length === 0 ? "its tags are there" : `no tags: ${missing.map(({ why, tables }) => `${why} (${tables.join(", ")})`).join("; ")}`;
    const now = await ledger.update<SavepointRecord>(record.id, event, (before) => {
      mine = before.tagsSettledAtMs === undefined;
      return mine ? { ...before, tagsSettledAtMs: atMs } : before;
    });
    // What is long past, or has a newer one after it, is seen on its row.
    const isNewest = !(await ledger.all()).some((other) => other.kind === "savepoint" && isUsable(other) && other.job.id === record.job.id && (other.endedAtMs ?? 0) > (record.endedAtMs ?? 0));
    if (mine && isNewest && atMs - (record.endedAtMs ?? 0) < tellWithinMs) this.#settled.fire({ record: now, missing, taggable: pairs.flatMap(taggableIn) });
  }
}

function taggableIn({ place, pairing: { grade, snapshot, tags } }: SinkPair): PaimonSnapshotRef[] {
  const isProven = grade === "unprotected" || grade === "foreign" || grade === "drained";
  return place === null || snapshot === null || tags.length > 0 || !isProven ? [] : [{ ...place, snapshotId: snapshot.id }];
}

interface JobNow {
  readonly runs: boolean | null;
  readonly intervalMs: number | null;
}
