import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { asidePlace } from "../../src/core/cleanup/aside";
import { isFlinkError } from "../../src/core/errors";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { startFlink } from "../rig/flink";
import { programFile, runProgram } from "../unit/program";
import { onDisk, scratchFolder } from "./support/disk";
import { Eyes, until } from "./support/eyes";
import { openApp, patience } from "./support/testApp";

interface Told {
  readonly jobs: readonly { readonly job: string; readonly enabled: boolean; readonly agreed: boolean; readonly held: string | null; readonly removed: readonly string[]; readonly failed: readonly unknown[]; readonly victims: readonly One[]; readonly survivors: readonly One[]; readonly aside: readonly { readonly id: string }[] }[];
}
interface One {
  readonly id: string;
  readonly reasons: readonly string[];
  readonly removal?: string;
}

test("flink-savepoints cleanup removes what it previewed once that was agreed to, puts back, and goes on by itself after a savepoint of schedule run (A-8, A-29, A-30)", async (context) => {
  const flink = await startFlink("2.3.0");
  context.after(() => flink.stop());
  const folder = scratchFolder("cleanup-program");
  const state = path.join(folder, "state");
  const eyes = new Eyes(flink);
  const jobId = await eyes.run({ name: "orders", args: ["--window", "false", "--broadcast", "false"] });
  const window = openApp({ ledgerFolder: path.join(state, "ledger"), clusters: [flink.url] });
  context.after(() => window.dispose());
  const take = async (origin: SavepointRecord["origin"]): Promise<SavepointRecord> => {
    const { id } = await window.app.savepoints.trigger({ cluster: flink.url, jobId }, { directory: path.join(folder, "savepoints"), format: "canonical", description: "" }, patience());
    return window.app.ledger.update<SavepointRecord>(id, "as taken", (record) => ({ ...record, origin }));
  };
  const [first, second, third, byHand, fourth, fifth] = [await take("scheduled"), await take("scheduled"), await take("scheduled"), await take("manual"), await take("scheduled"), await take("scheduled")];
  const all = [first, second, third, byHand, fourth, fifth];
  const content = new Map(all.map((record) => [record.id, contentOf(record.path ?? "")]));
  const lies = ({ path: place }: SavepointRecord): "there" | "aside" | "gone" => (existsSync(onDisk(place ?? "")) ? "there" : existsSync(onDisk(asidePlace(place ?? ""))) ? "aside" : "gone");

  const file = path.join(folder, "flink-savepoints.json");
  const write = (cleanup: object): void => writeFileSync(file, JSON.stringify({ schedules: [{ name: "often", cluster: flink.url, job: "orders", cron: "* * * * *", directory: path.join(folder, "savepoints") }], cleanup }));
  const asked = async (verb: string, ...more: string[]): Promise<{ code: number | null; told: Told["jobs"][number] }> => {
    const { code, out, err } = await runProgram(["cleanup", verb, file, "--state", state, "--json", ...more], { limitMs: 120_000 });
    const [told] = (JSON.parse(out) as Told).jobs;
    assert.ok(told, `${out}${err}`);
    return { code, told };
  };

  // Another window, with a ledger of its own, which knows the savepoint from the job's history.
  const desk = openApp({ ledgerFolder: path.join(folder, "desk", "ledger"), clusters: [flink.url] });
  context.after(() => desk.dispose());
  const found = await until("the other window to find the savepoint", async () => {
    await desk.app.clusters.refresh(flink.url, AbortSignal.timeout(20_000));
    await desk.app.jobs.observe({ cluster: flink.url, jobId }, AbortSignal.timeout(20_000));
    return (await desk.savepoints()).find(({ path: place }) => place === first.path);
  });
  await desk.app.savepoints.pin(found.id, true);

  write({ default: { keep: 2 } });
  const off = await asked("agree");
  assert.deepEqual([off.code, off.told.enabled, off.told.agreed], [1, false, false], "rules that are not switched on can't be agreed to");
  write({ enabled: true, default: { keep: 2 } });
  const preview = await asked("preview");
  assert.equal(preview.code, 0);
  assert.match(preview.told.survivors.find(({ id }) => id === first.id)?.reasons[0] ?? "", /^Another window or program pinned it, as .*\.pinned-by-flink-savepoints\/savepoint-.* says\./);
  await desk.app.savepoints.pin(found.id, false);
  const unpinned = await asked("preview");
  assert.deepEqual(unpinned.told.victims.map(({ id, reasons, removal }) => [id, reasons, removal]), [third, second, first].map(({ id }) => [id, ["beyond the newest 2"], "aside"]));
  assert.deepEqual(unpinned.told.survivors.map(({ id, reasons }) => [id, reasons[0]]), [[fifth.id, "Within the rules."], [fourth.id, "Within the rules."], [byHand.id, "Taken by hand: rules touch only what a schedule took."]]);
  const early = await asked("run");
  assert.deepEqual([early.code, early.told.held, early.told.removed], [1, "not-agreed", []]);
  assert.deepEqual(all.map(lies), all.map(() => "there"));

  assert.deepEqual([(await asked("agree")).told.agreed, (await asked("preview")).told.agreed], [true, true]);
  write({ enabled: true, default: { keep: 1 } });
  const other = await asked("run");
  assert.deepEqual([other.code, other.told.agreed, other.told.held], [1, false, "not-agreed"], "another rule is not the one that was agreed to");
  assert.deepEqual(all.map(lies), all.map(() => "there"));
  write({ enabled: true, default: { keep: 2 } });
  const ran = await asked("run");
  assert.deepEqual([ran.code, ran.told.held, ran.told.removed, ran.told.failed], [0, null, [first.id, second.id, third.id], []]);
  assert.deepEqual(all.map(lies), ["aside", "aside", "aside", "there", "there", "there"]);
  for (const record of all) assert.deepEqual(contentOf(lies(record) === "there" ? (record.path ?? "") : asidePlace(record.path ?? "")), content.get(record.id));
  assert.deepEqual(ran.told.aside.map(({ id }) => id).sort(), [first.id, second.id, third.id].sort());
  const back = await runProgram(["cleanup", "undo", third.id, "--state", state]);
  assert.deepEqual([back.code, lies(third)], [0, "there"], back.err);

  const child = spawn(process.execPath, [programFile, "schedule", "run", file, "--state", state], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let text = "";
  child.stdout.on("data", (data: Buffer) => (text += data.toString()));
  try {
    await until("cleanup to follow the savepoint of the next minute", () => Promise.resolve(/cleanup of orders: 1 removed, 0 failed/.test(text)), 150_000, 200);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
  // Pinned is what was put back, and what was taken by hand stays; the newest two are the new one and the fifth.
  assert.deepEqual([third, byHand, fourth, fifth].map(lies), ["there", "there", "aside", "there"], text);

  // The program's own pin, which the other window keeps to; Flink disposes of a neighbour while the mark lies there, and of the savepoint once it does not.
  const pin = async (verb: "pin" | "unpin", place: string): Promise<{ code: number | null; out: string; err: string }> => runProgram(["cleanup", verb, place, "--state", state]);
  assert.match((await pin("pin", byHand.path ?? "")).out, /is pinned: nothing that sees its disk removes it/);
  const twin = (await desk.savepoints()).find(({ path: place }) => place === byHand.path);
  assert.ok(twin);
  await assert.rejects(desk.app.disposals.dispose(twin.id, { typedJobName: "orders" }, patience()), (error) => isFlinkError(error, "refused") && error.facts.refusals[0]?.rule === "pinned-beside");
  await desk.app.disposals.dispose((await desk.savepoints()).find(({ path: place }) => place === fifth.path)?.id ?? "", { typedJobName: "orders" }, patience());
  assert.deepEqual([byHand, fifth].map(lies), ["there", "gone"]);
  assert.match((await pin("unpin", byHand.path ?? "")).out, /is not pinned by this ledger any more/);
  await desk.app.disposals.dispose(twin.id, { typedJobName: "orders" }, patience());
  assert.equal(lies(byHand), "gone");
  const nowhere = await pin("pin", path.join(folder, "savepoints", "savepoint-nothing"));
  assert.deepEqual([nowhere.code, /was not pinned\. No savepoint is seen there/.test(nowhere.err)], [1, true], nowhere.err);

  await asked("withdraw");
  const withdrawn = await asked("run");
  assert.deepEqual([withdrawn.code, withdrawn.told.held], [1, "not-agreed"]);
});

/** The files of a savepoint's folder with their digests. */
function contentOf(place: string): Record<string, string> {
  const folder = onDisk(place);
  return Object.fromEntries(readdirSync(folder).sort().map((name) => [name, createHash("sha256").update(readFileSync(path.join(folder, name))).digest("hex")]));
}
