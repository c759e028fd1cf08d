import assert from "node:assert/strict";
import { test } from "node:test";
import type { PaimonCommitter } from "../../src/core/paimon/committers";
import { isUntold, pairWith, type PairedTable, type Pairing } from "../../src/core/paimon/pairing";
import { pairReasonText } from "../../src/core/paimon/pairText";
import { endOfInput, parseLossless, readSnapshot, readTag, type PaimonSnapshot, type PaimonTag } from "../../src/core/paimon/snapshot";

/** A commit of a table: files that it changed, and whether its snapshot is still there. */
interface Commit {
  readonly id: number;
  readonly user?: string;
  readonly identifier: number | bigint;
  readonly atMs: number;
  readonly kind?: string;
  readonly files?: readonly string[];
  readonly expired?: boolean;
  readonly tags?: readonly string[];
}

const completedMs = 1_000_000;

function tableOf(commits: readonly Commit[], isRolledBack = false): PairedTable {
  const snapshots: PaimonSnapshot[] = [];
  const tags: PaimonTag[] = [];
  const files = new Map<PaimonSnapshot, ReadonlySet<string>>();
  for (const { id, user = "job", identifier, atMs, kind = "APPEND", files: changed = [], expired = false, tags: names = [] } of commits) {
    const snapshot: PaimonSnapshot = { id, schemaId: 0, commitUser: user, commitIdentifier: BigInt(identifier), commitKind: kind, timeMs: completedMs + atMs, totalRecordCount: null, deltaManifestList: null, uuid: null };
    files.set(snapshot, new Set(changed));
    if (!expired) snapshots.push(snapshot);
    for (const name of names) tags.push({ name, snapshot, retainedMs: null });
  }
  return { tags, snapshots, told: [], isAsked: false, deltaFiles: (snapshot) => Promise.resolve(files.get(snapshot)), holds: () => Promise.resolve(true), isRolledBack: () => Promise.resolve(isRolledBack) };
}

type Named = Partial<Omit<PaimonCommitter, "files">> & { readonly files?: ReadonlySet<string> };

function pair(commits: readonly Commit[], { files = new Set(["a-1"]), ...committer }: Named = {}, checkpointId = 7n, isStop: boolean | undefined = undefined, isRolledBack = false): Promise<Pairing> {
  const full: PaimonCommitter = { operatorId: "", operatorName: null, objectName: null, commitUser: "job", pending: [checkpointId], files: new Map([[checkpointId, files], [endOfInput, files]]), autoTag: true, unread: null, ...committer };
  return pairWith({ checkpointId, completedMs, isStop }, full, tableOf(commits, isRolledBack));
}

const grade = async (commits: readonly Commit[], committer: Named = {}): Promise<string> => {
  const { grade: given, snapshot, tags } = await pair(commits, committer);
  return `${given} ${snapshot?.id ?? "–"} ${tags.map(({ name }) => name).join(" ")}`.trim();
};

test("a tag with the savepoint's commit user, number and files is its pair, whatever the tag is called", async () => {
  assert.equal(await grade([{ id: 3, identifier: 6, atMs: -900 }, { id: 4, identifier: 7, atMs: 80, files: ["a-1"], tags: ["savepoint-7"] }]), "exact 4 savepoint-7");
  assert.equal(await grade([{ id: 3, identifier: 6, atMs: -900 }, { id: 4, identifier: 7, atMs: 80, files: ["a-1"], tags: ["before-release", "savepoint-99"], expired: true }]), "exact 4 before-release savepoint-99");
  assert.equal(await grade([{ id: 4, identifier: 7, atMs: 80, files: ["a-1"] }, { id: 5, identifier: 7, atMs: 90, kind: "COMPACT", files: ["c-1"], tags: ["savepoint-7"] }]), "exact 5 savepoint-7");
});

test("the files decide between two lives of a job, without a clock", async () => {
  const first: Commit = { id: 2, identifier: 7, atMs: -90_000, files: ["old-1"], tags: ["savepoint-7"] };
  const second: Commit = { id: 9, identifier: 7, atMs: 80, files: ["a-1"] };
  assert.equal(await grade([first, second]), "unprotected 9");
  assert.equal(await grade([first]), "stale-tag –");
  // The savepoint was copied, so its time tells nothing, and the files still do; but a commit on a wrong base would look the same.
  const copied: Commit = { ...second, atMs: -500_000, tags: ["savepoint-7"] };
  assert.equal(await grade([{ id: 8, identifier: 6, atMs: -501_000 }, copied]), "exact 9 savepoint-7");
  assert.equal(await grade([copied]), "changed 9 savepoint-7");
  assert.equal(await grade([{ id: 8, identifier: 4, atMs: -503_000 }, copied, { id: 10, identifier: 8, atMs: -499_980 }]), "exact 9 savepoint-7");
  assert.equal(await grade([{ id: 8, identifier: 4, atMs: -503_000 }, copied, { id: 10, identifier: 8, atMs: -498_000 }]), "changed 9 savepoint-7");
});

test("a commit whose files the savepoint's compaction read is not its pair: the one is whose files are all that it names", async () => {
  const files = new Set(["old-1", "a-1", "c-1"]);
  const first: Commit = { id: 2, identifier: 7, atMs: -90_000, files: ["old-1"], tags: ["savepoint-7"] };
  const second: readonly Commit[] = [{ id: 9, identifier: 7, atMs: 80, files: ["a-1"] }, { id: 10, identifier: 7, atMs: 90, kind: "COMPACT", files: ["old-1", "a-1", "c-1"] }];
  assert.equal(await grade([first, ...second], { files }), "unprotected 10");
  assert.equal(await grade([first], { files }), "stale-tag –");
  // Copied, so that no time tells.
  assert.equal(await grade([first, { id: 8, identifier: 6, atMs: -900 }, ...second].map((commit) => ({ ...commit, atMs: commit.atMs - 500_000 })), { files }), "unprotected 10");
  // Another writer's commit may lie between the two.
  assert.equal(await grade([{ id: 4, identifier: 7, atMs: 80, files: ["a-1"] }, { id: 5, user: "other", identifier: 3, atMs: 85, files: ["o-1"] }, { id: 6, identifier: 7, atMs: 90, kind: "COMPACT", files: ["a-1", "c-1"], tags: ["savepoint-7"] }], { files: new Set(["a-1", "c-1"]) }), "exact 6 savepoint-7");
});

test("where no file tells, the first commit after the savepoint is taken and an older one never", async () => {
  assert.equal(await grade([{ id: 4, identifier: 7, atMs: 300, tags: ["savepoint-7"] }], { files: new Set() }), "exact 4 savepoint-7");
  assert.equal(await grade([{ id: 4, identifier: 7, atMs: -60_000, tags: ["savepoint-7"] }], { files: new Set() }), "stale-tag –");
});

test("a tag of the savepoint's name by another job is never its pair", async () => {
  const decoy: Commit = { id: 1, user: "other", identifier: 7, atMs: -50_000, tags: ["savepoint-7"] };
  assert.equal(await grade([decoy, { id: 4, identifier: 7, atMs: 80, files: ["a-1"] }]), "foreign 4");
  assert.equal(await grade([decoy, { id: 2, identifier: 6, atMs: -900 }]), "foreign 2");
  assert.equal(await grade([{ ...decoy, user: "job", identifier: 5 }, { id: 4, identifier: 7, atMs: 80, files: ["a-1"] }]), "foreign 4");
  assert.equal(await grade([decoy, { id: 4, identifier: 7, atMs: 80, files: ["a-1"], tags: ["pinned"] }]), "exact 4 pinned");
});

test("a commit that was made again onto an older base is not proven, though its files match", async () => {
  const forged: Commit = { id: 4, identifier: 7, atMs: 60_000, files: ["a-1"], tags: ["savepoint-7"] };
  const steady = [1, 2, 3].map((number): Commit => ({ id: number, identifier: number, atMs: -7_000 + number * 1_000 }));
  assert.equal(await grade([...steady, forged]), "changed 4 savepoint-7");
  assert.equal(await grade([...steady, { ...forged, atMs: 900 }]), "exact 4 savepoint-7");
});

test("nor is it when the snapshot that it was built on has expired, or is kept by a tag only", async () => {
  const forged: Commit = { id: 4, identifier: 7, atMs: 60_000, files: ["a-1"], tags: ["savepoint-7"] };
  const after = [8, 9, 10].map((number): Commit => ({ id: number - 3, identifier: number, atMs: 60_000 + (number - 7) * 1_000 }));
  assert.equal(await grade([forged]), "changed 4 savepoint-7");
  assert.equal(await grade([forged, ...after]), "changed 4 savepoint-7");
  assert.equal(await grade([{ id: 3, identifier: 3, atMs: -4_000, expired: true, tags: ["savepoint-3"] }, forged, ...after]), "changed 4 savepoint-7");
  assert.equal(await grade([{ ...forged, expired: true }, ...after]), "changed 4 savepoint-7");
  // Even soon after: the running job commits the savepoint and the next checkpoint in one go, a restored one an interval apart.
  assert.equal(await grade([{ ...forged, atMs: 3_500 }, ...after.map((commit) => ({ ...commit, atMs: commit.atMs - 52_000 }))]), "changed 4 savepoint-7");
});

test("a commit with the next checkpoint, or at once after a stop, is proven also when the one before it is gone", async () => {
  const own: Commit = { id: 4, identifier: 7, atMs: 9_000, files: ["a-1"], tags: ["savepoint-7"] };
  const after = [8, 9].map((number): Commit => ({ id: number - 3, identifier: number, atMs: 9_004 + (number - 8) * 10_000 }));
  assert.equal(await grade([own, ...after]), "exact 4 savepoint-7");
  assert.equal(await grade([{ ...own, atMs: 90 }]), "exact 4 savepoint-7");
  // Idle checkpoints leave no commit, so the number before is an earlier one.
  assert.equal(await grade([{ id: 2, identifier: 3, atMs: -40_000 }, { id: 3, identifier: 4, atMs: -30_000 }, own, ...after]), "exact 4 savepoint-7");
  const stopped = async (atMs: number): Promise<string> => (await pair([{ id: 3, identifier: 4, atMs: -30_000 }, { ...own, atMs }], {}, 7n, true)).grade;
  assert.equal(await stopped(90), "exact");
  assert.equal(await stopped(9_000), "changed");
});

test("without a commit of its own it is idle, waiting, drained, or cannot be told", async () => {
  const before: Commit = { id: 2, identifier: 5, atMs: -2_000 };
  assert.equal(await grade([before], { pending: [], files: new Set() }), "idle 2");
  assert.equal(await grade([before]), "waiting 2");
  assert.equal(await grade([before, { id: 3, identifier: 9, atMs: 9_000 }]), "none –");
  assert.equal(await grade([{ ...before, expired: true, tags: ["kept"] }, { id: 5, identifier: 9, atMs: 9_000 }], { pending: [] }), "none –");
  assert.equal(await grade([], { pending: [] }), "none –");
  // A job's first savepoint, and one whose commits have expired.
  assert.equal(await grade([]), "waiting –");
  assert.equal(await grade([{ id: 40, user: "other", identifier: 3, atMs: 60_000 }]), "none –");
  assert.equal(await grade([before, { id: 3, identifier: endOfInput, atMs: 400 }], { pending: [endOfInput] }), "drained 3");
  assert.equal(await grade([before], { commitUser: null, unread: "malformed" }), "none –");
});

test("a savepoint is neither waiting nor idle once the job went on from an older state: what was committed after it under lower numbers is not what it saw", async () => {
  const before: Commit = { id: 3, identifier: 3, atMs: -5_000 };
  const again: Commit = { id: 4, identifier: 4, atMs: 50_000, files: ["n-1"] };
  assert.equal(await grade([before, again]), "none –");
  assert.equal(await grade([before, again], { pending: [], files: new Set() }), "none –");
  assert.equal(await grade([before, again], { pending: [endOfInput] }), "none –");
  const decoy: Commit = { id: 2, user: "other", identifier: 7, atMs: -50_000, tags: ["savepoint-7"] };
  assert.equal(await grade([decoy, before, again]), "foreign –");
  // What was still to be committed is, by a restore from the savepoint before this one.
  assert.equal(await grade([before, { ...again, identifier: 6 }], { pending: [6n, 7n] }), "waiting 4");
});

test("P-9: through a gateway what a rollback has left, or a job that went on from an older state, looks like what the savepoint saw: neither is proven", async () => {
  const told = async (pending: readonly bigint[], commits: readonly Commit[]): Promise<string> => {
    const committer: PaimonCommitter = { operatorId: "", operatorName: null, objectName: null, commitUser: "job", pending, files: new Map([[7n, new Set(["a-1"])]]), autoTag: true, unread: null };
    const found = await pairWith({ checkpointId: 7n, completedMs, isStop: undefined }, committer, { ...tableOf(commits), isAsked: true });
    return `${found.grade} ${found.snapshot?.id ?? "–"} ${found.reasons.map(({ code }) => code).join(" ")} ${isUntold(found)}`;
  };
  const before: Commit = { id: 2, identifier: 3, atMs: -9_000 };
  assert.equal(await told([], [before]), "none – base-untold true");
  assert.equal(await told([], [before, { id: 3, identifier: 9, atMs: 9_000 }]), "none – base-untold true");
  assert.equal(await told([7n], [before]), "waiting – not-committed-yet false");
  assert.equal(await told([7n], [{ ...before, identifier: 6 }]), "waiting 2 not-committed-yet false");
});

test("what a rollback has left is neither the state of a later savepoint, nor does that only wait", async () => {
  const left = async (identifier: number, committer: Named): Promise<string> => (await pair([{ id: 2, identifier, atMs: -9_000 }], committer, 7n, undefined, true)).grade;
  assert.equal(await left(3, { pending: [], files: new Set() }), "none");
  assert.equal(await left(3, {}), "none");
  // Committed right before the savepoint: nothing lies between.
  assert.equal(await left(6, {}), "waiting");
});

test("every reason is a sentence", async () => {
  const pairings = await Promise.all([
    pair([{ id: 4, identifier: 7, atMs: 80, files: ["a-1"], tags: ["x"] }]), pair([{ id: 2, identifier: 7, atMs: -90_000, files: ["b-1"], tags: ["savepoint-7"] }]), pair([]), pair([{ id: 2, identifier: 5, atMs: -1 }], { pending: [] }),
    pair([{ id: 1, user: "o", identifier: endOfInput, atMs: 0, tags: ["savepoint-7"] }]), pair([], { commitUser: null, unread: "missing" }), pair([{ id: 4, identifier: 7, atMs: 60_000, files: ["a-1"], tags: ["x"] }]), pair([{ id: 4, identifier: 4, atMs: 60_000 }]),
  ]);
  for (const { reasons } of pairings) for (const reason of reasons) assert.match(pairReasonText(reason), /^[A-Z].*\.$/);
});

test("numbers beyond 2^53 survive, half a file and a newer format are named", () => {
  const text = '{ "version" : 3, "id" : 9, "schemaId" : 0, "commitUser" : "a 1234567890123456789, b", "commitIdentifier" : 9223372036854775807, "commitKind" : "APPEND", "timeMillis" : 1795227455834, "watermark" : -9223372036854775808, "unknown" : {} }';
  const snapshot = readSnapshot(text);
  assert.ok(!("code" in snapshot));
  assert.equal(snapshot.commitIdentifier, endOfInput);
  assert.equal(snapshot.commitUser, "a 1234567890123456789, b");
  assert.equal(parseLossless(text)?.["watermark"], "-9223372036854775808");
  assert.deepEqual(readSnapshot(text.slice(0, 60)), { code: "not-json" });
  assert.deepEqual(readSnapshot(text.replace('"version" : 3', '"version" : 4')), { code: "format", version: 4 });
  assert.deepEqual(readSnapshot(text.replace('"id" : 9', '"id" : 0')), { code: "field", field: "id" });
  for (const [written, retainedMs] of [["604800.000000000", 604_800_000], ["1.5", 1_500], ['"PT168H"', 604_800_000], ['"P1DT2S"', 86_402_000]] as const) {
    const tag = readTag("t", text.replace('"unknown" : {}', `"tagTimeRetained" : ${written}`));
    assert.ok("name" in tag && tag.retainedMs === retainedMs, written);
  }
});

test("P-9: through a gateway nothing is proven by its time, nor by a commit of which a part can't be told; what may still be the pair is said to be untold", async () => {
  const asked = async (commits: readonly Commit[], { told = [], blind = false, files = new Set(["a-1"]) }: { readonly told?: PairedTable["told"]; readonly blind?: boolean; readonly files?: ReadonlySet<string> } = {}): Promise<string> => {
    const full: PaimonCommitter = { operatorId: "", operatorName: null, objectName: null, commitUser: "job", pending: [7n], files: new Map([[7n, files]]), autoTag: true, unread: null };
    const table = tableOf(commits);
    const { grade: given, snapshot, reasons } = await pairWith({ checkpointId: 7n, completedMs, isStop: undefined }, full, { ...table, told, isAsked: true, ...(blind ? { deltaFiles: () => Promise.resolve(undefined) } : {}) });
    return `${given} ${snapshot?.id ?? "–"} ${reasons.map(({ code }) => code).join(" ")}`;
  };
  const before: Commit = { id: 3, identifier: 6, atMs: -900 };
  const tag = { name: "savepoint-7", snapshotId: 4, schemaId: 0, timeMs: completedMs + 80, totalRecordCount: null, retainedMs: null };
  assert.equal(await asked([before, { id: 4, identifier: 7, atMs: 80, files: ["a-1"], tags: ["savepoint-7"] }]), "exact 4 files-match");
  assert.equal(await asked([before, { id: 4, identifier: 7, atMs: 80, files: ["a-1"] }]), "unprotected 4 no-tag files-match");
  assert.equal(await asked([before, { id: 4, identifier: 7, atMs: 80, files: ["b-1"] }]), "none – files-differ other-life");
  // A commit without files, one whose files can't be told, and one of which only a part is what the savepoint names.
  assert.equal(await asked([before, { id: 4, identifier: 7, atMs: 80, tags: ["savepoint-7"] }], { files: new Set() }), "none – proof-untold");
  assert.equal(await asked([before, { id: 4, identifier: 7, atMs: 80, files: ["a-1"], tags: ["savepoint-7"] }], { blind: true }), "none – proof-untold");
  assert.equal(await asked([before, { id: 4, identifier: 7, atMs: 80, files: ["a-1"], tags: ["savepoint-7"] }], { files: new Set(["a-1", "a-2"]) }), "none – proof-untold");
  // A tag whose commit is not told, beside nothing and beside the right commit.
  assert.equal(await asked([before], { told: [tag] }), "none – tag-untold");
  assert.equal(await asked([], { told: [{ ...tag, name: "kept" }] }), "none – expired-untold");
  assert.equal(await asked([before, { id: 5, identifier: 7, atMs: 80, files: ["a-1"] }], { told: [tag] }), "unprotected 5 no-tag files-match tag-untold");
});
