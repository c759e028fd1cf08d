import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Draft, type PublishWay } from "../../src/clients/atomicFile";
import { openLedger } from "../../src/clients/ledgerFiles";
import { draftName, revisionName } from "../../src/clients/ledgerNames";
import { thisProcess } from "../../src/clients/processIdentity";
import { systemClock } from "../../src/core/base/async";
import { isFlinkError } from "../../src/core/errors";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { keptLog, savepointRecord } from "./ledgerSamples";
import { rejected } from "./rejected";

const root = await mkdtemp(path.join(tmpdir(), "ledger-"));
after(() => rm(root, { recursive: true, force: true }));

let folders = 0;
const newFolder = (): string => path.join(root, String(++folders), "ledger");
const open = (folder: string, publish?: PublishWay) => openLedger({ folder, log: keptLog(), clock: systemClock, ...(publish === undefined ? {} : { publish }) });
const addToken = (token: string) => (record: SavepointRecord): SavepointRecord => ({ ...record, candidates: [...record.candidates, token] });
const recordFiles = async (folder: string): Promise<string[]> => (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
const aged = async (file: string): Promise<void> => utimes(file, new Date(0), new Date(0));

for (const publish of ["link", "folder"] as const) {
  describe(`a ledger that publishes by ${publish}`, () => {
    test("keeps a record as one readable file, and says so when the id is taken", async () => {
      const folder = newFolder();
      const ledger = open(folder, publish);
      assert.equal(await ledger.create(savepointRecord("aa")), true);
      assert.equal(await ledger.create(savepointRecord("aa", { description: "another" })), false);
      assert.deepEqual(await recordFiles(folder), ["aa.000001.json"]);
      assert.deepEqual(await readdir(path.join(folder, "drafts")), []);
      const text = await readFile(path.join(folder, "aa.000001.json", ...(publish === "folder" ? ["record.json"] : [])), "utf8");
      assert.match(text, /^\{\n {2}"kind": "savepoint",\n/);
      assert.deepEqual(await open(folder).all(), [savepointRecord("aa")]);
    });

    test("replaces a record by its next revision and writes the trail", async () => {
      const folder = newFolder();
      const ledger = open(folder, publish);
      await ledger.create(savepointRecord("aa"));
      const running = await ledger.update<SavepointRecord>("aa", "Flink accepted it", (record) => ({ ...record, state: "running" }));
      assert.equal(running.state, "running");
      assert.deepEqual(running.trail.map((entry) => entry.event), ["requested", "Flink accepted it"]);
      assert.deepEqual(await recordFiles(folder), ["aa.000002.json"]);
      assert.deepEqual(await open(folder).get("aa"), running);
    });

    test("keeps the fields of a newer version that it does not know, and shows them to nobody", async () => {
      const folder = newFolder();
      const ledger = open(folder, publish);
      const known = savepointRecord("aa", { stop: { drain: true, job: "pending" }, cleanup: { hits: [{ rule: "keep", keep: 3, position: 4 }], triedAtMs: 1, attempts: 1, failure: null, aside: null } });
      const [entry] = known.trail;
      const newer = {
        ...known, encryption: { keyName: "k1" }, stop: { ...known.stop, graceMs: 5 }, trail: [{ ...entry, by: "ada" }],
        cleanup: { ...known.cleanup, hits: [{ rule: "keep", keep: 3, position: 4, source: "team" }] },
      };
      await ledger.create(savepointRecord("bb"));
      const nested = publish === "folder" ? ["record.json"] : [];
      if (publish === "folder") await mkdir(path.join(folder, "aa.000001.json"));
      await writeFile(path.join(folder, "aa.000001.json", ...nested), JSON.stringify(newer).replace(/^\{/, '{"__proto__":{"pinned":true},'));

      assert.deepEqual(JSON.parse(JSON.stringify(await ledger.get("aa"))), known, "what is unknown is nobody's to read");
      const changed = await ledger.update<SavepointRecord>("aa", "stopped", (record) => ({ ...record, state: "completed", stop: record.stop && { ...record.stop, job: "stopped" } }));
      assert.deepEqual([changed.pinned, Object.keys(changed).sort()], [false, Object.keys(known).sort()]);
      await open(folder, publish).update<SavepointRecord>("aa", "pinned", (record) => ({ ...record, pinned: true }));

      const written = JSON.parse(await readFile(path.join(folder, "aa.000003.json", ...nested), "utf8")) as Record<string, unknown>;
      const trail = [...newer.trail, ...changed.trail.slice(1), (await ledger.get("aa"))?.trail.at(-1)];
      assert.deepEqual(Object.entries(written).sort(), Object.entries({ ...newer, state: "completed", pinned: true, stop: { ...newer.stop, job: "stopped" }, trail, ["__proto__"]: { pinned: true } }).sort());
    });

    test("writes no field that the record's file did not have, whoever hands it one (rule 10)", async () => {
      const folder = newFolder();
      const ledger = open(folder, publish);
      const secret = { programArgs: ["--password", "hunter2"] };
      await ledger.create({ ...savepointRecord("aa"), ...secret });
      await ledger.update<SavepointRecord>("aa", "again", (record) => ({ ...record, ...secret, owner: { ...record.owner, ...secret } }));
      const text = await readFile(path.join(folder, "aa.000002.json", ...(publish === "folder" ? ["record.json"] : [])), "utf8");
      assert.ok(!text.includes("hunter2") && text.includes("again"));
    });

    test("loses and doubles no change when many write the same record at once", async () => {
      const folder = newFolder();
      const [first, ...others] = Array.from({ length: 4 }, () => open(folder, publish));
      assert.ok(first);
      await first.create(savepointRecord("shared"));
      const tokens = [first, ...others].flatMap((ledger, at) => Array.from({ length: 8 }, (_, nth) => ({ ledger, token: `${at}-${nth}` })));
      await Promise.all(tokens.map(({ ledger, token }) => ledger.update<SavepointRecord>("shared", token, addToken(token))));
      const record = (await open(folder).get("shared")) as SavepointRecord;
      assert.deepEqual([...record.candidates].sort(), tokens.map(({ token }) => token).sort());
      // Whoever finishes while nobody else is writing leaves one file.
      await first.update<SavepointRecord>("shared", "last", addToken("last"));
      assert.deepEqual(await recordFiles(folder), ["shared.000034.json"]);
      assert.deepEqual(await readdir(path.join(folder, "drafts")), []);
    });

    test("lets only one of many create the same record", async () => {
      const folder = newFolder();
      const created = await Promise.all(Array.from({ length: 8 }, (_, at) => open(folder, publish).create(savepointRecord("found-ab-7", { description: String(at) }))));
      assert.equal(created.filter(Boolean).length, 1);
      const kept = (await open(folder).get("found-ab-7")) as SavepointRecord;
      assert.equal(created[Number(kept.description)], true);
    });

    test("does not give a number a second time while a slow writer may still want it", async () => {
      const folder = newFolder();
      const ledger = open(folder, publish);
      await ledger.create(savepointRecord("aa"));
      // The slow one announced itself, read revision 1, and then slept.
      const slow = await Draft.open(path.join(folder, "drafts", draftName("aa", thisProcess())), publish);
      await ledger.update<SavepointRecord>("aa", "second", addToken("2"));
      await ledger.update<SavepointRecord>("aa", "third", addToken("3"));
      assert.deepEqual(await recordFiles(folder), ["aa.000001.json", "aa.000002.json", "aa.000003.json"]);
      assert.equal(await slow.publish("{}", path.join(folder, revisionName("aa", 2))), "taken");
      await slow.withdraw();
      await ledger.update<SavepointRecord>("aa", "fourth", addToken("4"));
      assert.deepEqual(await recordFiles(folder), ["aa.000004.json"]);
    });

    test("takes the announcement of a dead writer away, which could then publish nothing even if it lived", async () => {
      const folder = newFolder();
      const ledger = open(folder, publish);
      await ledger.create(savepointRecord("aa"));
      const gone = { ...thisProcess(), pid: 4_194_305 };
      const dead = await Draft.open(path.join(folder, "drafts", draftName("aa", gone)), publish);
      await ledger.update<SavepointRecord>("aa", "second", addToken("2"));
      await ledger.update<SavepointRecord>("aa", "third", addToken("3"));
      assert.deepEqual(await recordFiles(folder), ["aa.000003.json"]);
      assert.equal(await dead.publish("{}", path.join(folder, revisionName("aa", 2))), "withdrawn");
      assert.deepEqual(await recordFiles(folder), ["aa.000003.json"]);
    });

    test("clears up what killed processes left behind", async () => {
      const folder = newFolder();
      await open(folder, publish).create(savepointRecord("aa"));
      const drafts = path.join(folder, "drafts");
      await Draft.open(path.join(drafts, draftName("aa", { ...thisProcess(), pid: 4_194_305 })), publish);
      const old = path.join(drafts, draftName("bb", { host: "elsewhere", pid: 1, instance: "0-0-0-0-0" }));
      await Draft.open(old, publish);
      await aged(old);
      const recent = path.join(drafts, draftName("cc", { host: "elsewhere", pid: 1, instance: "0-0-0-0-0" }));
      await Draft.open(recent, publish);
      await writeFile(path.join(folder, "aa.000002.json"), JSON.stringify(savepointRecord("aa", { description: "newer" })));
      assert.deepEqual((await open(folder, publish).all()).map((record) => (record as SavepointRecord).description), ["newer"]);
      assert.deepEqual(await readdir(drafts), [path.basename(recent)]);
      assert.deepEqual(await recordFiles(folder), ["aa.000002.json"]);
    });
  });
}

test("nothing is touched before the first use, and reading makes no folder", async () => {
  const folder = newFolder();
  const ledger = open(folder);
  assert.deepEqual(await ledger.all(), []);
  assert.equal(await ledger.get("aa"), undefined);
  assert.deepEqual(await readdir(root).then((names) => names.includes(path.basename(path.dirname(folder)))), false);
});

test("an update that changes nothing writes nothing", async () => {
  const folder = newFolder();
  const ledger = open(folder);
  await ledger.create(savepointRecord("aa"));
  const same = await ledger.update<SavepointRecord>("aa", "nothing", (record) => record);
  assert.deepEqual(same, savepointRecord("aa"));
  assert.deepEqual(await recordFiles(folder), ["aa.000001.json"]);
});

test("an error of the change itself reaches the caller as it is, and nothing is written", async () => {
  const folder = newFolder();
  const ledger = open(folder);
  await ledger.create(savepointRecord("aa"));
  const mine = new Error("mine");
  await assert.rejects(ledger.update("aa", "never", () => { throw mine; }), mine);
  await assert.rejects(ledger.update("aa", "never", (record) => ({ ...record, id: "bb" })), (error) => isFlinkError(error, "ledger-record-damaged"));
  await assert.rejects(ledger.update("bb", "never", (record) => record), (error) => isFlinkError(error, "ledger-record-damaged") && error.facts.reason === "there is no such record");
  assert.deepEqual(await recordFiles(folder), ["aa.000001.json"]);
  assert.deepEqual(await readdir(path.join(folder, "drafts")), []);
});

test("an id that is no safe file name is refused", async () => {
  const folder = newFolder();
  for (const id of ["../outside", "a/b", "a.000001.json", "", "x".repeat(121), "a\u0000b", "ä"]) {
    await assert.rejects(open(folder).create(savepointRecord(id)), (error) => isFlinkError(error, "ledger-record-damaged"), id);
    assert.equal(await open(folder).get(id), undefined);
  }
  assert.equal(await open(folder).create(savepointRecord("x".repeat(120))), true);
});

test("records that were handed out cannot be changed behind the ledger's back", async () => {
  const ledger = open(newFolder());
  await ledger.create(savepointRecord("aa"));
  const [record] = await ledger.all();
  assert.throws(() => { (record as SavepointRecord).candidates.push("x"); }, TypeError);
});

test("what another process wrote is seen on the next read, and told once", async () => {
  const folder = newFolder();
  const [mine, other] = [open(folder), open(folder)];
  const told: (readonly string[])[] = [];
  mine.onDidChange((ids) => told.push(ids));
  await mine.create(savepointRecord("aa"));
  assert.deepEqual(told.splice(0), [["aa"]]);
  await mine.all();
  await other.update<SavepointRecord>("aa", "by another", addToken("1"));
  await other.create(savepointRecord("bb"));
  assert.deepEqual((await mine.all()).map((record) => record.id).sort(), ["aa", "bb"]);
  assert.deepEqual(told.splice(0).map((ids) => [...ids].sort()), [["aa", "bb"]]);
  await mine.all();
  assert.deepEqual(told, []);
  await other.update<SavepointRecord>("bb", "by another", addToken("1"));
  assert.deepEqual(((await mine.get("bb")) as SavepointRecord).candidates, ["1"]);
  assert.deepEqual(told, [["bb"]]);
});

test("a folder that has been quiet for a while is read again as soon as it changes", async () => {
  const folder = newFolder();
  const [mine, other] = [open(folder), open(folder)];
  await other.create(savepointRecord("aa"));
  await aged(folder);
  const before = await mine.all();
  assert.equal(await mine.all(), before, "an unchanged folder gives the same records");
  await other.update<SavepointRecord>("aa", "by another", addToken("1"));
  assert.deepEqual(((await mine.all())[0] as SavepointRecord).candidates, ["1"]);
});

test("a listener that throws does not fail the write", async () => {
  const ledger = open(newFolder());
  ledger.onDidChange(() => { throw new Error("a listener's mistake"); });
  assert.equal(await ledger.create(savepointRecord("aa")), true);
});

test("watching tells of another process's write without a read", async () => {
  const folder = newFolder();
  const [mine, other] = [open(folder), open(folder)];
  await mine.all();
  const watching = mine.watch();
  // Watching keeps no process alive, so something else has to.
  const late = setTimeout(() => undefined, 10_000);
  const told = new Promise<readonly string[]>((resolve) => mine.onDidChange(resolve));
  await other.create(savepointRecord("aa"));
  assert.deepEqual(await told, ["aa"]);
  watching.dispose();
  clearTimeout(late);
});

test("damaged records are set aside under their own name, named, and told once; an older revision serves", async () => {
  const folder = newFolder();
  await open(folder).create(savepointRecord("aa"));
  const bad: Record<string, string> = {
    "aa.000002.json": JSON.stringify(savepointRecord("aa"), null, 2).slice(0, 300),
    "bb.000001.json": "",
    "cc.000001.json": JSON.stringify({ ...savepointRecord("cc"), state: "no such state" }),
    "dd.000001.json": JSON.stringify(savepointRecord("ee")),
  };
  for (const [name, text] of Object.entries(bad)) await writeFile(path.join(folder, name), text);
  const log = keptLog();
  const ledger = openLedger({ folder, log, clock: systemClock });
  assert.deepEqual((await ledger.all()).map((record) => record.id), ["aa"]);
  const expected = [["aa.000002.json", /^not JSON$/], ["bb.000001.json", /^empty$/], ["cc.000001.json", /^not a record: state: /], ["dd.000001.json", /id is not that of its file/]] as const;
  for (const damaged of [ledger.damaged(), await open(folder).all().then(() => ledger.damaged())]) {
    const sorted = [...damaged].sort((a, b) => a.file.localeCompare(b.file));
    assert.deepEqual(sorted.map(({ file }) => file), expected.map(([name]) => path.join(folder, "damaged", name)));
    sorted.forEach(({ reason }, at) => assert.match(reason, expected[at]?.[1] ?? /never/));
  }
  for (const [name, text] of Object.entries(bad)) assert.equal(await readFile(path.join(folder, "damaged", name), "utf8"), text);
  await ledger.all();
  assert.equal(log.lines.filter((line) => line.startsWith("warn ")).length, 4);
  // A later process names them too, and the record goes on.
  const later = open(folder);
  await later.all();
  assert.equal(later.damaged().length, 4);
  assert.match(later.damaged().find(({ file }) => file.endsWith("cc.000001.json"))?.reason ?? "", /not a record: state/);
  await later.update<SavepointRecord>("aa", "goes on", addToken("1"));
  assert.equal(await later.create(savepointRecord("bb")), true);
  await writeFile(path.join(folder, "bb.000002.json"), "again");
  await writeFile(path.join(folder, "bb.000001.json"), "again");
  await later.all();
  assert.deepEqual((await readdir(path.join(folder, "damaged"))).filter((name) => name.startsWith("bb")).sort(), ["bb.000001.json", "bb.000001.json.2", "bb.000002.json"]);
});

test("a record of a newer version stays where it is, is named, and is not written over", async () => {
  const folder = newFolder();
  await open(folder).create(savepointRecord("aa"));
  const newer = JSON.stringify({ ...savepointRecord("aa"), version: 2, kind: "something new" });
  await writeFile(path.join(folder, "aa.000002.json"), newer);
  const ledger = open(folder);
  assert.deepEqual(await ledger.all(), []);
  assert.deepEqual(ledger.damaged(), [{ file: path.join(folder, "aa.000002.json"), reason: "written by a newer version (format 2)" }]);
  assert.equal(await ledger.create(savepointRecord("aa")), false);
  await assert.rejects(ledger.update("aa", "never", (record) => ({ ...record })), (error) => isFlinkError(error, "ledger-record-damaged"));
  assert.deepEqual(await recordFiles(folder), ["aa.000001.json", "aa.000002.json"]);
  assert.equal(await readFile(path.join(folder, "aa.000002.json"), "utf8"), newer);
});

test("a record whose unknown fields nest too deep to be written is named as damaged, and stays as it is", async () => {
  const folder = newFolder();
  const ledger = open(folder);
  const file = path.join(folder, "aa.000001.json");
  await mkdir(folder, { recursive: true });
  const deep = JSON.stringify(savepointRecord("aa")).replace(/\}$/, `,"newer":${"[".repeat(50_000)}${"]".repeat(50_000)}}`);
  await writeFile(file, deep);
  await rejected(ledger.update<SavepointRecord>("aa", "pinned", (record) => ({ ...record, pinned: true })), "ledger-record-damaged");
  assert.equal(await readFile(file, "utf8"), deep);
});

test("a record of a kind that only a newer version knows is its record, too, and no damage: it is not set aside", async () => {
  const folder = newFolder();
  await open(folder).create(savepointRecord("bb"));
  const newer = JSON.stringify({ kind: "lineage", version: 1, id: "aa" });
  await writeFile(path.join(folder, "aa.000001.json"), newer);
  const ledger = open(folder);
  assert.deepEqual((await ledger.all()).map(({ id }) => id), ["bb"]);
  assert.deepEqual(ledger.damaged(), [{ file: path.join(folder, "aa.000001.json"), reason: "written by a newer version (kind lineage)" }]);
  assert.equal(await readFile(path.join(folder, "aa.000001.json"), "utf8"), newer);
});

test("a file that cannot be read now is named, left alone, and read once it can be", async () => {
  const folder = newFolder();
  const ledger = open(folder);
  await ledger.create(savepointRecord("aa"));
  const file = path.join(folder, "bb.000001.json");
  await symlink(file, file);
  await aged(folder);
  assert.deepEqual((await ledger.all()).map((record) => record.id), ["aa"]);
  assert.deepEqual(ledger.damaged(), [{ file, reason: "ELOOP" }]);
  assert.equal(await ledger.create(savepointRecord("bb")), false);
  await rm(file);
  await writeFile(file, JSON.stringify(savepointRecord("bb")));
  await aged(folder);
  assert.equal((await ledger.all()).length, 2);
  assert.deepEqual(ledger.damaged(), []);
});

test("other files in the folder are none of our business", async () => {
  const folder = newFolder();
  await open(folder).create(savepointRecord("aa"));
  for (const name of [".DS_Store", "aa.1.json", "notes.txt", "a_b.000001.json"]) await writeFile(path.join(folder, name), "x");
  const ledger = open(folder);
  assert.equal((await ledger.all()).length, 1);
  assert.deepEqual(ledger.damaged(), []);
  assert.equal((await readdir(folder)).length, 6);
});

test("a record whose file a person removed is gone, and told", async () => {
  const folder = newFolder();
  const ledger = open(folder);
  await ledger.create(savepointRecord("aa"));
  await ledger.create(savepointRecord("bb"));
  await ledger.all();
  const told: (readonly string[])[] = [];
  ledger.onDidChange((ids) => told.push(ids));
  await rm(path.join(folder, "aa.000001.json"));
  assert.deepEqual((await ledger.all()).map((record) => record.id), ["bb"]);
  assert.deepEqual(told, [["aa"]]);
});

test("a folder that cannot be written is named, with the system's reason, and nothing is left in it", async () => {
  const folder = newFolder();
  const ledger = open(folder);
  await ledger.create(savepointRecord("aa"));
  await chmod(path.join(folder, "drafts"), 0o500);
  await chmod(folder, 0o500);
  await asOrdinaryUser(async () => {
    await assert.rejects(ledger.create(savepointRecord("bb")), (error) => isFlinkError(error, "ledger-unwritable") && error.facts.folder === folder && error.facts.reason === "EACCES");
    await assert.rejects(ledger.update<SavepointRecord>("aa", "never", addToken("1")), (error) => isFlinkError(error, "ledger-unwritable"));
  });
  await chmod(folder, 0o700);
  await chmod(path.join(folder, "drafts"), 0o700);
  assert.deepEqual(await open(folder).all(), [savepointRecord("aa")]);
  assert.deepEqual((await readdir(folder)).sort(), ["aa.000001.json", "drafts"]);
  assert.equal(await ledger.create(savepointRecord("bb")), true);
});

test("a folder that cannot be there is unwritable, and to read it is an error rather than 'no records'", async () => {
  const file = path.join(root, "a file");
  await writeFile(file, "");
  const ledger = open(path.join(file, "ledger"));
  await assert.rejects(ledger.create(savepointRecord("aa")), (error) => isFlinkError(error, "ledger-unwritable") && error.facts.reason === "ENOTDIR");
  await assert.rejects(ledger.all(), (error) => isFlinkError(error, "file-unreadable") && error.facts.reason === "ENOTDIR");
});

test("a folder removed under a running window is made again", async () => {
  const folder = newFolder();
  const ledger = open(folder);
  await ledger.create(savepointRecord("aa"));
  await rm(folder, { recursive: true });
  assert.deepEqual(await ledger.all(), []);
  assert.equal(await ledger.create(savepointRecord("aa")), true);
});

test("a trail keeps its beginning and its end, and says how much is left out", async () => {
  const ledger = open(newFolder());
  await ledger.create(savepointRecord("aa", { trail: Array.from({ length: 99 }, (_, at) => ({ atMs: at, event: `event ${at}` })) }));
  for (let more = 99; more < 104; more++) await ledger.update<SavepointRecord>("aa", `event ${more}`, addToken(String(more)));
  const events = (await ledger.get("aa"))?.trail.map((entry) => entry.event) ?? [];
  assert.equal(events.length, 100);
  assert.deepEqual(events.slice(19, 22), ["event 19", "(5 more)", "event 25"]);
  assert.equal(events.at(-1), "event 103");
});

/** Root may write anywhere, so as root the work is done as nobody. */
async function asOrdinaryUser(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) {
    // Nobody has to get as far as the folder.
    await chmod(root, 0o755);
    process.seteuid?.(65_534);
  }
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
