import { Backoff } from "../core/base/async";
import { Emitter } from "../core/base/event";
import { FlinkError } from "../core/errors";
import type { Ledger } from "../core/ledger/store";
import type { ClusterInfo, ClusterProfile } from "../core/model/cluster";
import type { JobSummary } from "../core/model/job";
import type { ClientFactory, Clock, ClusterClient, Log } from "../core/ports";

/** Whether a cluster answers. */
export type Reach =
  | { readonly state: "unasked" }
  | { readonly state: "connecting" }
  | { readonly state: "online"; readonly info: ClusterInfo }
  /** `nextTryAtMs`: when polling asks again, epoch milliseconds; asking by hand works any time. */
  | { readonly state: "offline"; readonly error: FlinkError; readonly nextTryAtMs: number | null };

/** A cluster with what was last heard of it. */
export interface ClusterView {
  readonly profile: ClusterProfile;
  readonly reach: Reach;
  /** As of the last answer; kept while the cluster is down. */
  readonly jobs: readonly JobSummary[];
  /** True for one that is in no setting any more but has savepoints in the ledger. */
  readonly removed: boolean;
}

interface Entry {
  profile: ClusterProfile;
  client: ClusterClient;
  reach: Reach;
  jobs: readonly JobSummary[];
  backoff: Backoff;
  refreshing: Refreshing | undefined;
}

interface Refreshing {
  /** Never rejects. */
  readonly done: Promise<void>;
  readonly signal: AbortSignal;
}

/** The clusters we know, whether they answer, and their jobs. */
export class ClusterService {
  readonly #makeClient: ClientFactory;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();
  readonly #changed = new Emitter<{ cluster: string | null }>((error) => this.#log.error("a listener to clusters", error));
  readonly #online = new Emitter<string>((error) => this.#log.error("a listener to clusters", error));
  #configured: readonly ClusterProfile[] = [];
  #local: ClusterProfile | null = null;
  #remembered: readonly ClusterProfile[] = [];

  /** Fires with the address of the cluster that changed, or with null when the list itself did. */
  readonly onDidChange = this.#changed.event;
  /** Fires when a cluster answers that did not before. */
  readonly onDidComeOnline = this.#online.event;

  constructor(makeClient: ClientFactory, ledger: Ledger, clock: Clock, log: Log) {
    this.#makeClient = makeClient;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes over the clusters of the settings; what is known of one that stays is kept. */
  setProfiles(profiles: readonly ClusterProfile[]): void {
    this.#configured = profiles;
    this.#sync();
  }

  /** The cluster of *Start Local Flink*, or null when none runs. */
  setLocal(profile: ClusterProfile | null): void {
    this.#local = profile;
    this.#sync();
  }

  /** Reads from the ledger which clusters had savepoints, so that those stay reachable when a setting is removed. */
  async remember(): Promise<void> {
    const known = new Map<string, ClusterProfile>();
    for (const record of await this.#ledger.all()) if (record.kind === "savepoint" && !record.forgotten) known.set(record.cluster.url, { name: record.cluster.name, url: record.cluster.url });
    const before = this.#remembered.map((profile) => profile.url).join(" ");
    this.#remembered = [...known.values()];
    if (before !== this.#remembered.map((profile) => profile.url).join(" ")) this.#changed.fire({ cluster: null });
  }

  /** Configured clusters in the order of the setting, the local one, then removed ones that the ledger remembers. */
  list(): readonly ClusterView[] {
    const live = [...this.#entries.values()].map((entry) => view(entry));
    const gone = this.#remembered.filter((profile) => !this.#entries.has(profile.url));
    return [...live, ...gone.map(removed)];
  }

  get(cluster: string): ClusterView | undefined {
    const entry = this.#entries.get(cluster);
    if (entry !== undefined) return view(entry);
    const gone = this.#remembered.find(({ url }) => url === cluster);
    return gone && removed(gone);
  }

  /** Throws `cluster-unknown`. */
  client(cluster: string): ClusterClient {
    return this.#entry(cluster).client;
  }

  /** What the cluster is; connects when that is not known. Throws the connection's errors. */
  async info(cluster: string, signal: AbortSignal): Promise<ClusterInfo> {
    const entry = this.#entry(cluster);
    if (entry.reach.state === "online") return entry.reach.info;
    const info = await entry.client.connect(signal);
    this.#arrived(entry, info);
    return info;
  }

  /** Connects to a cluster that is not kept: *Add Cluster* does so before it saves. */
  test(profile: ClusterProfile, signal: AbortSignal): Promise<ClusterInfo> {
    return this.#makeClient(profile).connect(signal);
  }

  /**
   * Asks for the jobs, connecting first when needed. Never throws: `reach` says what happened. Two callers share one request; when the one who
   * began it gives up, the other asks anew.
   */
  async refresh(cluster: string, signal: AbortSignal): Promise<void> {
    const entry = this.#entries.get(cluster);
    if (entry === undefined) return;
    while (entry.refreshing !== undefined) {
      const shared = entry.refreshing;
      await shared.done;
      if (!shared.signal.aborted || signal.aborted) return;
    }
    const done = this.#refresh(entry, signal).finally(() => (entry.refreshing = undefined));
    entry.refreshing = { done, signal };
    await done;
  }

  /** Forgets what was known and asks at once. */
  async reconnect(cluster: string, signal: AbortSignal): Promise<void> {
    const entry = this.#entries.get(cluster);
    if (entry === undefined) return;
    entry.backoff.reset();
    entry.reach = { state: "connecting" };
    this.#changed.fire({ cluster });
    await this.refresh(cluster, signal);
  }

  async #refresh(entry: Entry, signal: AbortSignal): Promise<void> {
    const { url } = entry.profile;
    const before = JSON.stringify(entry.jobs);
    try {
      const info = entry.reach.state === "online" ? entry.reach.info : await entry.client.connect(signal);
      const jobs = await entry.client.jobs(signal);
      if (this.#entries.get(url) !== entry) return;
      entry.jobs = jobs;
      if (!this.#arrived(entry, info) && before !== JSON.stringify(jobs)) this.#changed.fire({ cluster: url });
    } catch (error) {
      if (this.#entries.get(url) !== entry) return;
      if (signal.aborted) return this.#notConnecting(entry);
      const known = error instanceof FlinkError ? error : new FlinkError("cluster-unreachable", { url, reason: String(error) }, { cause: error });
      if (entry.reach.state !== "offline") this.#log.warn(`${entry.profile.name} does not answer: ${known.code}`, known.facts);
      entry.reach = { state: "offline", error: known, nextTryAtMs: this.#clock.now() + entry.backoff.next() };
      this.#changed.fire({ cluster: url });
    }
  }

  /** Nobody asks any more. */
  #notConnecting(entry: Entry): void {
    if (entry.reach.state !== "connecting") return;
    entry.reach = { state: "unasked" };
    this.#changed.fire({ cluster: entry.profile.url });
  }

  /** True when it was not online before; that is told. */
  #arrived(entry: Entry, info: ClusterInfo): boolean {
    if (this.#entries.get(entry.profile.url) !== entry) return false;
    const came = entry.reach.state !== "online";
    entry.reach = { state: "online", info };
    entry.backoff.reset();
    if (!came) return false;
    this.#log.info(`${entry.profile.name} is Flink ${info.version.text} (${info.kind})`);
    this.#changed.fire({ cluster: entry.profile.url });
    this.#online.fire(entry.profile.url);
    return true;
  }

  #entry(cluster: string): Entry {
    const entry = this.#entries.get(cluster);
    if (entry === undefined) throw new FlinkError("cluster-unknown", { cluster });
    return entry;
  }

  #sync(): void {
    const local = this.#local;
    const configured = this.#configured.map((profile): ClusterProfile => (profile.url === local?.url ? { ...profile, local: true } : profile));
    const wanted = local === null || configured.some(({ url }) => url === local.url) ? configured : [...configured, local];
    const before = this.#profilesText();
    const old = new Map(this.#entries);
    this.#entries.clear();
    for (const profile of wanted) {
      const had = old.get(profile.url);
      if (had !== undefined && had.profile.caFile === profile.caFile) this.#entries.set(profile.url, Object.assign(had, { profile }));
      else this.#entries.set(profile.url, { profile, client: this.#makeClient(profile), reach: { state: "unasked" }, jobs: [], backoff: new Backoff(5_000, 60_000), refreshing: undefined });
    }
    if (before !== this.#profilesText()) this.#changed.fire({ cluster: null });
  }

  #profilesText(): string {
    return JSON.stringify([...this.#entries.values()].map(({ profile: { name, url, caFile, local } }) => [name, url, caFile, local]));
  }
}

function view(entry: Entry): ClusterView {
  return { profile: entry.profile, reach: entry.reach, jobs: entry.jobs, removed: false };
}

/** A cluster of which only the ledger knows. */
function removed(profile: ClusterProfile): ClusterView {
  return { profile, reach: { state: "unasked" }, jobs: [], removed: true };
}
