import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { openLocalFile } from "../../src/clients/localFiles";
import { openLocalMetadata } from "../../src/clients/localMetadata";
import { startThread } from "../../src/clients/workerThread";
import { systemClock } from "../../src/core/base/async";
import { automaticFilter } from "../../src/core/inspector/filters";
import { Inspected } from "../../src/core/inspector/inspected";
import { skewOf } from "../../src/core/inspector/operatorRows";
import type { InspectionApi, OperatorQuery } from "../../src/core/inspector/protocol";
import { RemoteError } from "../../src/core/rpc";
import { Inspection } from "../../src/services/inspectionSession";
import { squarify } from "../../src/webview/inspector/squarify";
import { rowsInSight, scrollTopFor } from "../../src/webview/inspector/windowing";
import { keptLog } from "./ledgerSamples";
import { ownSnapshotFolders } from "./metadataFiles";
import { wideMetadata } from "./wideMetadata";

const signal = new AbortController().signal;
const query: OperatorQuery = { sort: { by: "size", descending: true }, filter: "", from: 0, limit: 100, selected: null };

/** The inspector's answers about a folder on disk; the file is closed after the test. */
function inspected(folder: string, context: { after(end: () => unknown): void }): Inspected {
  return new Inspected(async () => {
    const bytes = await openLocalMetadata(folder);
    assert.ok(bytes);
    context.after(() => bytes.close());
    return { location: `file:${folder}`, modifiedAtMs: 0, bytes, openFile: openLocalFile, now: () => performance.now(), look: (file) => Promise.resolve(statSync(file, { throwIfNoEntry: false })?.size) };
  });
}

/** A folder with a `_metadata` of these bytes, gone after the test. */
function folderOf(bytes: Uint8Array, context: { after(end: () => void): void }): string {
  const folder = mkdtempSync(path.join(tmpdir(), "flink-savepoints-inspected-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, "_metadata"), bytes);
  return folder;
}

test("every snapshot of ours is answered in full: shares add up, handles are in files that are there, states are named", async (context) => {
  for (const { name, folder } of ownSnapshotFolders()) {
    const { handlers } = inspected(folder, context);
    const { snapshot, problems } = await handlers.open({}, signal);
    assert.ok(snapshot?.whole && problems.length === 0, name);
    const { rows, total } = await handlers.operators(query, signal);
    assert.equal(total, snapshot.operators);
    assert.equal(rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), snapshot.stateBytes, name);
    assert.deepEqual(rows.map(({ sizeBytes }) => sizeBytes), rows.map(({ sizeBytes }) => sizeBytes).sort((a, b) => b - a));

    const shares = await handlers.shares({ row: null, kind: null, limit: 100 }, signal);
    assert.equal(shares.totalBytes, snapshot.stateBytes, name);
    for (const row of rows) {
      const kinds = await handlers.shares({ row: row.row, kind: null, limit: 100 }, signal);
      assert.equal(kinds.totalBytes, row.sizeBytes, `${name} ${row.name}`);
      for (const tile of kinds.tiles) {
        if (tile.into === null) continue;
        const subtasks = await handlers.shares({ row: row.row, kind: tile.into.kind, limit: 100 }, signal);
        assert.equal(subtasks.totalBytes, tile.sizeBytes, `${name} ${row.name} ${tile.label}`);
      }
      const { rows: subtasks } = await handlers.subtasks({ row: row.row, from: 0, limit: 100 }, signal);
      assert.equal(subtasks.length, row.subtasks);
      for (const { at, sizeBytes } of subtasks) {
        const handles = await handlers.handles({ row: row.row, subtask: at, from: 0, limit: 100 }, signal);
        assert.deepEqual(handles.problems, []);
        assert.equal(handles.rows.reduce((sum, handle) => sum + handle.sizeBytes, 0), sizeBytes, `${name} ${row.name} ${at}`);
      }
      if (row.sizes.managedKeyed === 0) continue;
      const groups = await handlers.keyGroups({ row: row.row, bars: 4 }, signal);
      assert.ok(groups.from !== "none" && groups.bars.length <= 4 && groups.bars.some((bytes) => bytes > 0), name);
      const { states, notes } = await handlers.states({ row: row.row, count: true }, signal);
      assert.ok(states.length > 0 && states.every(({ name: state, kind }) => state !== "" && kind !== ""), `${name}: ${notes.join(" ")}`);
    }
    const files = await handlers.files({ restart: true }, signal);
    assert.deepEqual({ ...files, total: 0, looked: 0 }, { total: 0, looked: 0, missing: 0, short: 0, elsewhere: 0, unsafe: 0, examples: [], complete: true, done: true }, name);
    assert.equal(files.looked, snapshot.files);
    assert.notEqual(await handlers.selfContained({}, signal), null);
    const report = JSON.parse(await handlers.json({ row: null }, signal)) as { operators: { id: string }[]; totalSizeBytes: string };
    assert.equal(report.totalSizeBytes, String(snapshot.stateBytes));
    assert.deepEqual(report.operators.map(({ id }) => id).sort(), rows.map(({ id }) => id).sort());
  }
});

test("the table is filtered by words, by a whole uid through its hash, and by what has no uid; the selected row is found in any order", async (context) => {
  const { handlers } = inspected(folderOf(wideMetadata({ operators: 50, subtasks: 4, files: 3 }), context), context);
  const ask = (change: Partial<OperatorQuery>): ReturnType<typeof handlers.operators> => handlers.operators({ ...query, ...change }, signal);
  const { snapshot } = await handlers.open({}, signal);
  assert.equal((await ask({ filter: "WINDOW totals" })).rows.every(({ name }) => name?.startsWith("Window totals")), true);
  assert.deepEqual((await ask({ filter: "top-customers-13" })).rows.map(({ name }) => name), ["Top customers 13"], "its uid is not in the file, its hash is");
  assert.equal((await ask({ filter: automaticFilter })).total, snapshot?.automatic);
  assert.ok((snapshot?.automatic ?? 0) > 3);
  const byName = await ask({ sort: { by: "name", descending: false }, limit: 50 });
  assert.deepEqual(byName.rows.map(({ name }) => name), byName.rows.map(({ name }) => name).sort());
  const third = byName.rows[3];
  assert.equal((await ask({ sort: { by: "name", descending: false }, limit: 0, selected: third?.row ?? null })).selectedAt, 3);
  assert.equal((await ask({ filter: "no such", selected: 0 })).selectedAt, null);
  const shares = await handlers.shares({ row: null, kind: null, limit: 10 }, signal);
  assert.equal(shares.tiles.length, 9);
  assert.equal(shares.others?.count, 41);
  const seen = await handlers.files({ restart: true }, signal);
  assert.equal(seen.elsewhere, 50 * 4 * 3);
});

test("files that are missing, too short or lead out of the folder are told apart", async (context) => {
  const from = ownSnapshotFolders().find(({ name }) => name === "2.3.0/canonical");
  assert.ok(from);
  const bytes = await openLocalMetadata(from.folder);
  assert.ok(bytes);
  const folder = folderOf(await bytes.read(0, bytes.sizeBytes), context);
  await bytes.close();
  const { handlers } = inspected(folder, context);
  const first = await handlers.files({ restart: true }, signal);
  assert.equal(first.missing, first.total);
  writeFileSync(path.join(folder, path.basename(first.examples[0]?.path ?? "")), "x");
  const second = await handlers.files({ restart: true }, signal);
  assert.deepEqual([second.missing, second.short], [first.total - 1, 1]);
});

test("skew is the largest against the mean of all subtasks, those without state included", () => {
  assert.equal(skewOf(Float64Array.of(10, 10), 2), 1);
  assert.equal(skewOf(Float64Array.of(10), 4), 4);
  assert.equal(skewOf(Float64Array.of(0, 0), 2), null);
});

test("a treemap fills its rectangle in proportion, without overlap, and squarely", () => {
  const sizes = [60, 60, 40, 30, 20, 10, 5, 0];
  const tiles = squarify(sizes, (size) => size, 600, 400);
  assert.equal(tiles.length, 7);
  for (const { item, x, y, width, height } of tiles) {
    assert.ok(Math.abs(width * height - item / 225 * 240_000) < 0.01);
    assert.ok(x >= 0 && y >= 0 && x + width <= 600.001 && y + height <= 400.001);
    assert.ok(Math.max(width / height, height / width) < 3, `${item}: ${width} × ${height}`);
  }
  const area = (a: (typeof tiles)[number], b: (typeof tiles)[number]): number => Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) * Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));
  for (const a of tiles) for (const b of tiles) if (a !== b) assert.ok(area(a, b) < 0.01);
  assert.deepEqual(squarify([], () => 1, 10, 10), []);
});

test("a window of a list holds what is in sight and little more, and scrolling moves no further than it must", () => {
  const list = { heightPx: 240, rowPx: 24, total: 10_000 };
  assert.deepEqual(rowsInSight({ ...list, scrollTop: 0 }), [0, 16]);
  assert.deepEqual(rowsInSight({ ...list, scrollTop: 24 * 5_000 }), [4_994, 5_016]);
  assert.deepEqual(rowsInSight({ ...list, scrollTop: 24 * 10_000 }), [9_994, 10_000]);
  assert.deepEqual(rowsInSight({ ...list, total: 0, scrollTop: 0 }), [0, 0]);
  assert.equal(scrollTopFor(3, { ...list, scrollTop: 0 }), 0);
  assert.equal(scrollTopFor(3, { ...list, scrollTop: 240 }), 72);
  assert.equal(scrollTopFor(20, { ...list, scrollTop: 0 }), 264);
});

const threadFile = path.resolve("dist", "worker", "inspection.js");

/** An inspection on a real thread with so much memory. */
function inspection(location: string, heapMb: number, context: { after(end: () => void): void }): Inspection {
  const made = new Inspection(location, (place) => startThread(threadFile, { location: place }, { heapMb }), systemClock, keptLog());
  context.after(() => made.dispose());
  return made;
}

test("a thread that runs out of memory ends alone with its own error, and the next question starts another", async (context) => {
  const folder = folderOf(wideMetadata({ operators: 4_000, subtasks: 2, files: 2 }), context);
  const ended = (error: unknown): boolean => error instanceof RemoteError && error.code === "inspection-ended" && error.message.includes("memory");
  const poor = inspection(`file:${folder}`, 6, context);
  await assert.rejects(poor.ask("json", { row: null }), ended);
  await assert.rejects(poor.ask("json", { row: null }), ended, "asked again");
  const rich = inspection(`file:${folder}`, 512, context);
  assert.equal((await rich.ask("open", {})).snapshot?.operators, 4_000);
  rich.forget();
  assert.equal((await rich.ask("open", {})).snapshot?.operators, 4_000, "read anew after it was let go");
});

test("a file that is not there and one on another storage have errors of their own, and a file that comes is read", async (context) => {
  const folder = folderOf(Buffer.alloc(0), context);
  rmSync(path.join(folder, "_metadata"));
  const code = (of: Inspection): Promise<string> => of.ask("open", {}).then(() => "none", (error: unknown) => (error instanceof RemoteError ? error.code : "other"));
  const missing = inspection(`file:${folder}`, 256, context);
  assert.equal(await code(missing), "metadata-missing");
  writeFileSync(path.join(folder, "_metadata"), wideMetadata({ operators: 1, subtasks: 1, files: 1 }));
  assert.equal((await missing.ask("open", {})).snapshot?.operators, 1);
  assert.equal(await code(inspection("s3://bucket/savepoint-1", 256, context)), "metadata-elsewhere");
  assert.equal(await code(new Inspection("file:/x", () => startThread("/no/such/thread.js", {}, { heapMb: 64 }), systemClock, keptLog())), "inspection-ended");
});

test("questions about a row that is not there have empty answers", async (context) => {
  const { handlers } = inspected(folderOf(wideMetadata({ operators: 1, subtasks: 1, files: 1 }), context), context);
  const ask = <K extends keyof InspectionApi>(method: K, params: Parameters<InspectionApi[K]>[0]): Promise<unknown> => handlers[method](params, signal);
  assert.equal(await ask("operator", { row: 9 }), null);
  assert.deepEqual(await ask("subtasks", { row: 9, from: 0, limit: 10 }), { total: 0, from: 0, rows: [] });
  assert.deepEqual(await ask("states", { row: 9, count: false }), { states: [], notes: [], readBytes: 0 });
});
