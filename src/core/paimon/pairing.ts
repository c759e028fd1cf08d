import type { PaimonCommitter } from "./committers";
import { isOurName } from "./ourNames";
import { endOfInput, type PaimonSnapshot, type PaimonTag } from "./snapshot";
import type { TableContents } from "./tableSource";
import { skewMs } from "./warehouse";

/**
 * How sure it is which state of a table belongs to a savepoint, and whether that state is kept:
 * `exact` proven and tagged; `unprotected` proven, alive, without a tag; `waiting` committed with the next checkpoint; `idle` nothing was written,
 * so an earlier snapshot is the same; `drained` the end of the input was committed instead; `foreign` the tag of that name is another's;
 * `stale-tag` the tag that fits is of an earlier life of the job; `changed` it fits, but its base is not what the savepoint saw; `none` can't be told.
 */
export type PairGrade = "exact" | "unprotected" | "waiting" | "idle" | "drained" | "foreign" | "stale-tag" | "changed" | "none";

/** What speaks for a grade. */
export type PairReason =
  | { readonly code: "files-match"; readonly files: number }
  | { readonly code: "files-differ"; readonly files: number; readonly matching: number }
  | { readonly code: "committed-after"; readonly afterMs: number }
  | { readonly code: "committed-before"; readonly beforeMs: number }
  | { readonly code: "other-life"; readonly snapshotId: number }
  /** The job went on from an older state since: it committed that after the savepoint, under a number that was committed before it. */
  | { readonly code: "gone-on-since"; readonly snapshotId: number; readonly commitIdentifier: bigint }
  | { readonly code: "named-otherwise"; readonly tag: string }
  | { readonly code: "decoy"; readonly tag: string; readonly commitUser: string; readonly commitIdentifier: bigint }
  | { readonly code: "no-tag" }
  | { readonly code: "auto-tag-off" }
  | { readonly code: "nothing-pending" }
  | { readonly code: "not-committed-yet" }
  | { readonly code: "skipped"; readonly next: bigint }
  | { readonly code: "expired" }
  | { readonly code: "end-of-input" }
  /** `lateMs` null: when the savepoint was complete is not known, since its file is a copy. */
  | { readonly code: "base-jumps"; readonly from: bigint; readonly lateMs: number | null }
  /** What it was built on is gone, and it came later than the job's own commit of it would have. */
  | { readonly code: "base-unseen"; readonly lateMs: number | null }
  /** Another commit was its pair when it was first seen. */
  | { readonly code: "differs"; readonly snapshotId: number; readonly timeMs: number; readonly seenAtMs: number }
  /** It was proven, as it is now, while what it was built on could still be seen. */
  | { readonly code: "remembered"; readonly seenAtMs: number }
  | { readonly code: "never-committed" }
  /** The table was rolled back to that snapshot: what was committed after it is gone. */
  | { readonly code: "rolled-back"; readonly snapshotId: number }
  /** It has the savepoint's commit user and number, and nothing more can be told through a SQL Gateway. */
  | { readonly code: "proof-untold"; readonly snapshotId: number }
  /** The tag of the savepoint's name keeps a snapshot that has expired, and a SQL Gateway does not tell whose commit that is. */
  | { readonly code: "tag-untold"; readonly tag: string; readonly snapshotId: number }
  /** Snapshots from that time have expired, and of the tags that are left a SQL Gateway does not tell whose commits they keep. */
  | { readonly code: "expired-untold" }
  /** Nothing was written after that snapshot, and a SQL Gateway does not tell whether the table was rolled back to it. */
  | { readonly code: "base-untold"; readonly snapshotId: number }
  | { readonly code: "state-unread"; readonly why: NonNullable<PaimonCommitter["unread"]> };

/** A savepoint's pair in one table. */
export interface Pairing {
  readonly grade: PairGrade;
  /** The table's state that belongs to the savepoint, or is the same; null where there is none. */
  readonly snapshot: PaimonSnapshot | null;
  /** Tags that keep that very snapshot. */
  readonly tags: readonly PaimonTag[];
  /** A tag with this savepoint's name that does not belong to it, or one of an earlier life. */
  readonly decoy: PaimonTag | null;
  readonly reasons: readonly PairReason[];
}

/** Whether more may belong to the savepoint than was found, because a SQL Gateway does not tell it. */
export function isUntold({ reasons }: Pick<Pairing, "reasons">): boolean {
  return reasons.some(({ code }) => code === "proof-untold" || code === "tag-untold" || code === "expired-untold" || code === "base-untold");
}

/** A savepoint, as far as pairing goes. */
export interface PairedSavepoint {
  readonly checkpointId: bigint;
  /** When it was complete, epoch milliseconds. */
  readonly completedMs: number;
  /** True when that is only the latest moment that it can have been. */
  readonly isCopy?: boolean;
  /** How long the job takes between checkpoints by what else is known of it, milliseconds. */
  readonly intervalMs?: number;
  /** Taken by stop-with-savepoint, which commits at once; undefined where the metadata does not say. */
  readonly isStop: boolean | undefined;
}

/** A table, as far as pairing goes. */
export interface PairedTable {
  readonly tags: readonly PaimonTag[];
  /** Those still there, by id. */
  readonly snapshots: readonly PaimonSnapshot[];
  /** Tags of which it is not told whose commit they keep. */
  readonly told: TableContents["told"];
  /** A SQL Gateway tells of it: its times are only as right as the gateway's zone, so time alone proves nothing. */
  readonly isAsked: boolean;
  /** Data files that a snapshot's commit changed; undefined when they can't be told. */
  deltaFiles(snapshot: PaimonSnapshot): Promise<ReadonlySet<string> | undefined>;
  /** Whether one of these data files lies in it. */
  holds(files: ReadonlySet<string>): Promise<boolean>;
  /** Whether the table was rolled back to its newest snapshot, and nothing was committed since. */
  isRolledBack(): Promise<boolean>;
}

/** An APPEND and the COMPACT of the same checkpoint are committed one after the other. */
const twinMs = 60_000;

/** Finds what of a table belongs to a savepoint: by commit user, checkpoint id, the files that the savepoint says it wrote, and last by time (P-9). */
export async function pairWith(savepoint: PairedSavepoint, committer: PaimonCommitter, table: PairedTable): Promise<Pairing> {
  const { checkpointId } = savepoint;
  const named = table.tags.find(({ name }) => name === `savepoint-${checkpointId}`);
  const { commitUser, unread } = committer;
  if (commitUser === null) return { grade: "none", snapshot: null, tags: [], decoy: null, reasons: [{ code: "state-unread", why: unread ?? "malformed" }] };
  const drained = committer.pending.includes(endOfInput);
  const identifier = drained ? endOfInput : checkpointId;
  const commits = await judged(commitsOf(table, commitUser, identifier), savepoint, committer.files.get(identifier) ?? new Set(), table);
  const commit = commits.find(({ proof }) => proof === "files") ?? commits.find(({ proof }) => proof === "time");
  const isOf = (tag: PaimonTag): boolean => commit !== undefined && commit.members.some((member) => same(member, tag.snapshot));
  const isStale = named !== undefined && !isOf(named) && same(named.snapshot, { commitUser, commitIdentifier: checkpointId });
  const decoy = named !== undefined && !isOf(named) && (!isStale || commit !== undefined) ? named : null;
  const decoyReason: PairReason[] = decoy === null ? [] : isStale ? [{ code: "other-life", snapshotId: decoy.snapshot.id }] : [{ code: "decoy", tag: decoy.name, commitUser: decoy.snapshot.commitUser, commitIdentifier: decoy.snapshot.commitIdentifier }];
  const toldTag = table.told.find(({ name }) => name === `savepoint-${checkpointId}`);
  const untold: PairReason[] = toldTag === undefined ? [] : [{ code: "tag-untold", tag: toldTag.name, snapshotId: toldTag.snapshotId }];
  if (commit === undefined) {
    const [alike] = commits.filter(({ proof }) => proof === "untold").flatMap(({ members }) => members);
    const open: PairReason[] = [...(alike === undefined ? [] : [{ code: "proof-untold", snapshotId: alike.id } as const]), ...untold];
    if (open.length > 0) return { grade: "none", snapshot: null, tags: [], decoy: null, reasons: open };
    return withoutCommit(savepoint, committer, table, commits, decoy, decoyReason);
  }

  const tags = table.tags.filter(isOf).sort((a, b) => Number(b === named) - Number(a === named));
  const reasons: PairReason[] = [...commit.reasons, ...decoyReason, ...untold];
  const alive = commit.members.filter((member) => table.snapshots.some((live) => same(live, member)));
  const snapshot = tags.find(({ name }) => name === named?.name)?.snapshot ?? tags[0]?.snapshot ?? alive[alive.length - 1] ?? null;
  if (drained) return { grade: "drained", snapshot, tags, decoy, reasons: [{ code: "end-of-input" }, ...reasons] };
  const doubt = baseDoubt(savepoint, commit, commitUser, table);
  if (doubt !== undefined) return { grade: "changed", snapshot, tags, decoy, reasons: [doubt, ...reasons] };
  if (tags.length > 0) {
    const other = tags.every(({ name }) => name !== `savepoint-${checkpointId}`) ? tags[0] : undefined;
    return { grade: "exact", snapshot, tags, decoy, reasons: other === undefined ? reasons : [...reasons, { code: "named-otherwise", tag: other.name }] };
  }
  return { grade: decoy === null || isStale ? "unprotected" : "foreign", snapshot, tags, decoy, reasons: [{ code: committer.autoTag ? "no-tag" : "auto-tag-off" }, ...reasons] };
}

/** One commit: a snapshot, or an APPEND and the COMPACT right after it, alive or kept by tags. */
interface Commit {
  /** By id. */
  readonly members: readonly PaimonSnapshot[];
}

interface JudgedCommit extends Commit {
  /** `files`: every file of the commit is one the savepoint names. `time`: nothing else can tell, and the time fits. `untold`: so, and times are not sure. */
  readonly proof: "files" | "time" | "refuted" | "too-old" | "untold";
  readonly reasons: readonly PairReason[];
}

function commitsOf(table: PairedTable, commitUser: string, commitIdentifier: bigint): Commit[] {
  const commits: PaimonSnapshot[][] = [];
  let before: PaimonSnapshot | undefined;
  for (const snapshot of snapshotsBy(table, commitUser)) {
    const last = commits[commits.length - 1];
    // Another writer may have committed between the two.
    const isTwin = before?.commitIdentifier === commitIdentifier && before.commitKind === "APPEND" && snapshot.commitKind === "COMPACT" && (before.id === snapshot.id - 1 || Math.abs(snapshot.timeMs - before.timeMs) < twinMs);
    if (snapshot.commitIdentifier === commitIdentifier) {
      if (last !== undefined && isTwin) last.push(snapshot);
      else commits.push([snapshot]);
    }
    before = snapshot;
  }
  return commits.map((members) => ({ members }));
}

/** The commits with what proves or refutes each: the ones whose files are all that the savepoint names first, then the earliest after it. */
async function judged(commits: readonly Commit[], savepoint: PairedSavepoint, named: ReadonlySet<string>, table: PairedTable): Promise<JudgedCommit[]> {
  const found: (JudgedCommit & { readonly isWhole: boolean })[] = [];
  for (const commit of commits) {
    let proof: JudgedCommit["proof"] | undefined;
    let isWhole = false;
    const reasons: PairReason[] = [];
    const changed = new Set<string>();
    let matched = 0;
    for (const member of commit.members) {
      const files = await table.deltaFiles(member);
      if (files === undefined || files.size === 0) continue;
      for (const file of files) changed.add(file);
      const matching = [...files].filter((file) => named.has(file)).length;
      if (matching === files.size) matched ||= files.size;
      // A compaction's own output need not be in the committable, so only a commit of data refutes.
      else if (matching === 0 && (member.commitKind === "APPEND" || commit.members.length === 1)) {
        proof = "refuted";
        reasons.push({ code: "files-differ", files: files.size, matching });
      }
    }
    const lateMs = timeOf(commit) - savepoint.completedMs;
    const isLate = lateMs >= -skewMs;
    if (proof === undefined && matched > 0) {
      // The savepoint also names what its compactions read, which may be the files of a commit in an earlier life: those are a part of what it names.
      isWhole = [...named].every((file) => changed.has(file));
      if (isWhole || (isLate && !table.isAsked)) {
        proof = "files";
        reasons.push({ code: "files-match", files: matched });
      }
    }
    proof ??= table.isAsked ? "untold" : isLate ? "time" : "too-old";
    if (proof === "time") reasons.push({ code: "committed-after", afterMs: lateMs });
    if (proof === "too-old") reasons.push({ code: "committed-before", beforeMs: -lateMs });
    found.push({ ...commit, proof, reasons, isWhole });
  }
  return found.sort((a, b) => Number(b.isWhole) - Number(a.isWhole) || timeOf(a) - timeOf(b));
}

const timeOf = ({ members }: Commit): number => Math.min(...members.map(({ timeMs }) => timeMs));

/** No commit is this savepoint's: why, and which other state is the same. */
async function withoutCommit(savepoint: PairedSavepoint, committer: PaimonCommitter, table: PairedTable, commits: readonly JudgedCommit[], decoy: PaimonTag | null, decoyReason: readonly PairReason[]): Promise<Pairing> {
  const stale = table.tags.find((tag) => commits.some(({ members }) => members.some((member) => same(member, tag.snapshot))));
  const earlier = commits[0];
  if (earlier !== undefined) {
    const reasons: PairReason[] = [...earlier.reasons, { code: "other-life", snapshotId: earlier.members[0]?.id ?? 0 }, ...decoyReason];
    return { grade: stale === undefined ? (decoy === null ? "none" : "foreign") : "stale-tag", snapshot: null, tags: [], decoy: stale ?? decoy, reasons };
  }
  const { base, isCertain, next } = baseOf(savepoint, committer, table);
  // What the savepoint does not hold as pending was committed before it was complete.
  if (base !== undefined && !committer.pending.includes(base.commitIdentifier) && base.timeMs > savepoint.completedMs + skewMs) {
    return { grade: decoy === null ? "none" : "foreign", snapshot: null, tags: [], decoy, reasons: [{ code: "gone-on-since", snapshotId: base.id, commitIdentifier: base.commitIdentifier }, ...decoyReason] };
  }
  // Then commits between the two may be gone, which nothing else tells.
  const isLatest = base !== undefined && same(base, table.snapshots[table.snapshots.length - 1] ?? {});
  // A rollback of ours to this savepoint has left a tag of that name there.
  const isOurs = base !== undefined && table.tags.some(({ name, snapshot }) => isOurName(name, savepoint.checkpointId) && same(snapshot, base));
  const mayBeGone = isLatest && !isOurs && (committer.pending.length === 0 || base.commitIdentifier < savepoint.checkpointId - 1n);
  if (mayBeGone && (await table.isRolledBack())) return { grade: decoy === null ? "none" : "foreign", snapshot: null, tags: [], decoy, reasons: [{ code: "rolled-back", snapshotId: base.id }, ...decoyReason] };
  const unsaved = committer.pending.filter((identifier) => identifier > (base?.commitIdentifier ?? -1n));
  const graded = (grade: PairGrade, reason: PairReason, snapshot: PaimonSnapshot | null): Pairing =>
    ({ grade: decoy === null ? grade : "foreign", snapshot, tags: snapshot === null ? [] : table.tags.filter((tag) => same(tag.snapshot, snapshot)), decoy, reasons: [reason, ...decoyReason] });
  if (unsaved.length === 0) {
    if (base === undefined) return graded("none", { code: table.told.length > 0 ? "expired-untold" : "never-committed" }, null);
    // A gateway tells neither what a rollback left nor, by its times, that the job went on from an older state.
    if (isCertain && table.isAsked) return graded("none", { code: "base-untold", snapshotId: base.id }, null);
    return isCertain ? graded("idle", { code: "nothing-pending" }, base) : graded("none", { code: "expired" }, null);
  }
  if (next !== undefined) return graded("none", isCertain ? { code: "skipped", next: next.commitIdentifier } : { code: "expired" }, null);
  // Its commits may be among those that tags keep.
  if (base === undefined && table.told.length > 0) return graded("none", { code: "expired-untold" }, null);
  if (base === undefined) {
    // A writer that has no commit: what it had may have expired, and a table that was made anew has none of its files.
    const earliest = table.snapshots[0];
    if (earliest !== undefined && earliest.id > 1 && earliest.timeMs > savepoint.completedMs) return graded("none", { code: "expired" }, null);
    if (!(await table.holds(new Set([...committer.files.values()].flatMap((files) => [...files]))))) return graded("none", { code: "never-committed" }, null);
  }
  return graded("waiting", { code: "not-committed-yet" }, isCertain && !(table.isAsked && mayBeGone) ? (base ?? null) : null);
}

/** The writer's newest commit up to the savepoint, whether nothing between the two can have expired, and its first one after it. */
function baseOf({ checkpointId, completedMs }: PairedSavepoint, { commitUser }: PaimonCommitter, table: PairedTable): { base: PaimonSnapshot | undefined; isCertain: boolean; next: PaimonSnapshot | undefined } {
  const own = commitUser === null ? [] : ownSnapshots(table, commitUser);
  const before = own.filter((snapshot) => snapshot.commitIdentifier <= checkpointId && (snapshot.commitIdentifier < checkpointId || snapshot.timeMs < completedMs));
  const base = before[before.length - 1];
  const next = own.find((snapshot) => snapshot.commitIdentifier > checkpointId && (base === undefined || snapshot.id > base.id));
  if (base === undefined) return { base, isCertain: false, next };
  const isAlive = (id: number): boolean => table.snapshots.some((snapshot) => snapshot.id === id);
  const last = next?.id ?? table.snapshots[table.snapshots.length - 1]?.id ?? base.id;
  let isCertain = table.snapshots.some((snapshot) => same(snapshot, base));
  if (!isCertain) {
    isCertain = true;
    for (let id = base.id + 1; id < last && isCertain; id++) isCertain = isAlive(id);
  }
  return { base, isCertain, next };
}

/**
 * The signs of a commit that was made again onto the wrong base, which files and numbers do not tell (a restore after a rollback that went too far):
 * the writer's commit before it is not seen to be the one that the savepoint followed, and it did not come when the running job commits, which is
 * at once after a stop, and else with the next checkpoint.
 */
function baseDoubt(savepoint: PairedSavepoint, commit: Commit, commitUser: string, table: PairedTable): PairReason | undefined {
  const { checkpointId } = savepoint;
  const own = ownSnapshots(table, commitUser);
  const [first, last] = [commit.members[0], commit.members.at(-1)];
  const previous = own.findLast(({ id }) => id < (first?.id ?? 0));
  if (checkpointId <= 1n || (previous !== undefined && previous.commitIdentifier >= checkpointId - 1n)) return undefined;
  // A savepoint is complete before it is committed: one that is younger than its commit was copied, and its time tells nothing.
  const lateMs = savepoint.isCopy === true || timeOf(commit) < savepoint.completedMs - skewMs ? null : timeOf(commit) - savepoint.completedMs;
  if (lateMs !== null && lateMs <= skewMs) return undefined;
  const intervalMs = usualIntervalMs(own, own.find(({ id }) => id === first?.id)) ?? savepoint.intervalMs;
  const next = own.find(({ id }) => id > (last?.id ?? 0));
  // The running job commits the savepoint and the next checkpoint in one go; after a restore a whole interval lies between the two.
  const isAlone = next !== undefined && next.commitIdentifier === checkpointId + 1n && next.timeMs - timeOf(commit) > Math.max(1_000, (intervalMs ?? 0) / 2);
  const isTogether = next !== undefined && next.commitIdentifier === checkpointId + 1n && !isAlone;
  if (savepoint.isStop !== true && (lateMs === null ? isTogether : !isAlone && intervalMs !== undefined && lateMs <= 2 * intervalMs + skewMs)) return undefined;
  return previous === undefined ? { code: "base-unseen", lateMs } : { code: "base-jumps", from: previous.commitIdentifier, lateMs };
}

/** How long a writer's job takes between two checkpoints, by its commits to a table, milliseconds; undefined where they do not tell. */
export function checkpointIntervalMs(table: PairedTable, commitUser: string): number | undefined {
  return usualIntervalMs(ownSnapshots(table, commitUser), undefined);
}

/** The middle one of the times between two commits of a writer, by checkpoint, without the time before `doubted` where others tell; undefined when there are none. */
function usualIntervalMs(own: readonly PaimonSnapshot[], doubted: PaimonSnapshot | undefined): number | undefined {
  const spans = own.slice(1).flatMap((snapshot, at) => {
    const steps = Number(snapshot.commitIdentifier - (own[at]?.commitIdentifier ?? 0n));
    return steps > 0 && steps < 1_000 ? [{ snapshot, ms: (snapshot.timeMs - (own[at]?.timeMs ?? 0)) / steps }] : [];
  });
  const others = spans.filter(({ snapshot }) => snapshot !== doubted);
  const used = (others.length > 0 ? others : spans).map(({ ms }) => ms).sort((a, b) => a - b);
  return used[Math.floor(used.length / 2)];
}

/** A writer's commits that are alive or kept by tags, each once, by id; the end of an input left out. */
function ownSnapshots(table: PairedTable, commitUser: string): PaimonSnapshot[] {
  return snapshotsBy(table, commitUser).filter(({ commitIdentifier }) => commitIdentifier !== endOfInput);
}

function snapshotsBy(table: PairedTable, commitUser: string): PaimonSnapshot[] {
  const own = new Map<string, PaimonSnapshot>();
  for (const snapshot of [...table.snapshots, ...table.tags.map((tag) => tag.snapshot)]) {
    const key = `${snapshot.id} ${snapshot.commitIdentifier} ${snapshot.timeMs}`;
    if (snapshot.commitUser === commitUser && !own.has(key)) own.set(key, snapshot);
  }
  return [...own.values()].sort((a, b) => a.id - b.id || a.timeMs - b.timeMs);
}

/** The same commit, whether read from a snapshot or from a tag. Ids are used again after a rollback, so the id alone tells nothing. */
function same(a: Partial<PaimonSnapshot>, b: Partial<PaimonSnapshot>): boolean {
  return a.commitUser === b.commitUser && a.commitIdentifier === b.commitIdentifier
    && (a.id === undefined || b.id === undefined || a.id === b.id) && (a.timeMs === undefined || b.timeMs === undefined || a.timeMs === b.timeMs);
}
