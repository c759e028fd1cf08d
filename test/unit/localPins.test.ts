import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { localPins } from "../../src/clients/localPins";
import { pinFolder } from "../../src/core/cleanup/pinPlace";

let folder: string;
let savepoint: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "pins-"));
  savepoint = path.join(folder, "sp", "savepoint-ab12cd-000000000001");
  mkdirSync(savepoint, { recursive: true });
  writeFileSync(path.join(savepoint, "_metadata"), "x");
  chmodSync(path.dirname(savepoint), 0o775);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a mark lies beside the savepoint, not in it, is seen by every ledger, and goes with its own ledger's unpinning only", async () => {
  const [mine, theirs] = [localPins("/home/me/ledger"), localPins("/var/lib/program/ledger")];
  assert.deepEqual(await mine.at(`file://${savepoint}`), []);
  assert.deepEqual([await mine.put(`file:${savepoint}`), await theirs.put(savepoint)], [{ marked: true }, { marked: true }]);
  assert.deepEqual(readdirSync(savepoint), ["_metadata"]);
  const marks = await theirs.at(savepoint);
  assert.deepEqual((await mine.others(savepoint)).concat(await theirs.others(savepoint)).sort(), marks, "each ledger knows its own");
  assert.equal(marks.length, 2);
  assert.match(readFileSync(marks[0] ?? "", "utf8"), /"pinned":"20.*"host":".*"ledger":"\//);
  assert.equal(statSync(path.join(folder, "sp", pinFolder)).mode & 0o777, 0o775, "open to whoever may write the savepoints");
  assert.deepEqual(await mine.at(`${savepoint}2`), [], "of another whose name only begins alike");

  await mine.remove(savepoint);
  await mine.remove(savepoint);
  assert.equal((await mine.at(savepoint)).length, 1);
  await theirs.remove(savepoint);
  assert.deepEqual(readdirSync(path.join(folder, "sp")), [path.basename(savepoint)], "an empty folder of marks goes, too");
});

test("a savepoint behind a link is marked where it lies; one that can't be seen, or on another storage, is not", async () => {
  const pins = localPins("/ledger");
  const link = path.join(folder, "savepoint-ab12cd-000000000001");
  symlinkSync(savepoint, link);
  assert.deepEqual(await pins.put(link), { marked: true });
  assert.deepEqual([(await pins.at(savepoint)).length, existsSync(path.join(folder, pinFolder))], [1, false]);
  await pins.remove(link);
  assert.deepEqual(await pins.at(savepoint), []);
  for (const place of [`${savepoint}-gone`, "s3://bucket/sp/savepoint-1", "hdfs:///sp/savepoint-1"]) assert.deepEqual([await pins.put(place), await pins.at(place)], [{ marked: false, reason: "elsewhere" }, []], place);
});

test("marks that can't be looked at count as one: a pin may be among them", async () => {
  const marks = path.join(folder, "sp", pinFolder);
  // A link to itself: root may read everything else.
  symlinkSync(marks, marks);
  assert.deepEqual(await localPins("/ledger").at(savepoint), [marks]);
});

test("where nothing can be written, that is told", async () => {
  // A file in the folder's place: root may write everywhere.
  writeFileSync(path.join(folder, "sp", pinFolder), "");
  assert.deepEqual(await localPins("/ledger").put(savepoint), { marked: false, reason: "ENOTDIR" });
  assert.deepEqual(await localPins("/ledger").at(savepoint), [path.join(folder, "sp", pinFolder)], "somebody's marks may have been there");
});

test("a link to nothing in the place of the marks counts as one", async () => {
  const marks = path.join(folder, "sp", pinFolder);
  symlinkSync(path.join(folder, "unmounted"), marks);
  assert.deepEqual(await localPins("/ledger").at(savepoint), [marks]);
});

test("what somebody else put under a mark's own name is a mark: a link's file is not emptied, and a pipe keeps nobody waiting", { skip: process.platform === "win32" }, async () => {
  const pins = localPins("/ledger");
  await pins.put(savepoint);
  const [mark = ""] = await pins.at(savepoint);
  const precious = path.join(folder, "precious");
  writeFileSync(precious, "kept");
  rmSync(mark);
  symlinkSync(precious, mark);
  assert.deepEqual([await pins.put(savepoint), readFileSync(precious, "utf8")], [{ marked: true }, "kept"]);
  rmSync(mark);
  execFileSync("mkfifo", [mark]);
  assert.deepEqual([await pins.put(savepoint), await pins.at(savepoint)], [{ marked: true }, [mark]]);
  await pins.remove(savepoint);
  assert.deepEqual([await pins.at(savepoint), readFileSync(precious, "utf8")], [[], "kept"]);
});
