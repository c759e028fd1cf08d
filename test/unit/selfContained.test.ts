import assert from "node:assert/strict";
import { test } from "node:test";
import { filePlaceOf } from "../../src/core/metadata/filePlace";
import { inMemory } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import { selfContainment } from "../../src/core/metadata/selfContained";
import { ByteWriter } from "./metadataWriter";

const folder = "s3://state/savepoints/savepoint-ab12cd-0123456789ab";

/** A canonical savepoint with one state file per path; paths without a colon are relative. */
async function verdictOf(paths: readonly string[], home = folder): Promise<{ readonly verdict: string; readonly reasons: readonly string[] }> {
  const out = new ByteWriter().i32(0x4960672d).i32(3).i64(1).i32(0).i32(1).raw(Buffer.alloc(16, 1)).i32(paths.length).i32(128).u8(0).i32(paths.length);
  paths.forEach((path, i) => {
    out.i32(i).i32(0).i32(0).u8(7).i32(i).i32(0);
    if (path.includes(":")) out.u8(2).i64(100).utf(path);
    else out.u8(6).utf(path).i64(100);
    out.u8(0).i32(0).i32(0);
  });
  const input = inMemory(out.finish());
  const { metadata, problems } = await scanMetadata(input);
  assert.ok(metadata?.whole);
  const { verdict, findings, absoluteHandles, relativeHandles } = await selfContainment(input, { metadata, problems }, home);
  assert.equal(absoluteHandles + relativeHandles, paths.length);
  return { verdict, reasons: findings.map(({ reason, handles, sizeBytes }) => `${reason} ${handles} ${sizeBytes}`) };
}

test("C-16: a savepoint with relative paths only can be moved", async () => {
  assert.deepEqual(await verdictOf(["a", "b"]), { verdict: "relocatable", reasons: [] });
  assert.deepEqual(await verdictOf([]), { verdict: "relocatable", reasons: [] });
});

test("absolute paths into the folder, or into the one that it was copied from, keep it where it is", async () => {
  assert.deepEqual(await verdictOf(["a", `${folder}/b`, `${folder}/c`]), { verdict: "fixed", reasons: ["absolute-inside 2 200"] });
  assert.deepEqual(await verdictOf(["hdfs://old/sp/savepoint-ab12cd-0123456789ab/b"]), { verdict: "fixed", reasons: ["written-elsewhere 1 100"] });
});

test("C-17: entropy in the paths is found where the folder is, and where it was copied to", async () => {
  const spread = ["s3://state/x1/savepoints/savepoint-ab12cd-0123456789ab/a", "s3://state/q9/savepoints/savepoint-ab12cd-0123456789ab/b"];
  assert.deepEqual(await verdictOf(spread), { verdict: "dependent", reasons: ["entropy 2 200"] });
  assert.deepEqual(await verdictOf(spread, "file:/home/me/savepoint-ab12cd-0123456789ab"), { verdict: "dependent", reasons: ["entropy 2 200"] });
});

test("C-18: files of tasks, shared files and others make it depend on what is not in its folder", async () => {
  const job = "s3://state/checkpoints/5a1f0c3e9b7d42e8a6c4d2f0b8e61375";
  assert.deepEqual(await verdictOf([`${job}/taskowned/a`, `${job}/shared/b`, `${job}/shared/c`, "s3://other/d"], `${job}/chk-7`), { verdict: "dependent", reasons: ["shared 2 200", "task-owned 1 100", "elsewhere 1 100"] });
});

test("a relative path that leads out is told and never resolved", async () => {
  assert.deepEqual(await verdictOf(["a", "../b"]), { verdict: "dependent", reasons: ["unsafe 1 100"] });
  for (const path of ["../x", "/etc/passwd", "a/../../b", "", "c:\\x", "..", "a\0b", "..\\x"]) assert.deepEqual(filePlaceOf(folder, { type: "relativeFile", path }).candidates, [], path);
});

test("a file is looked for where it is named only within the folder, or within the job's whose checkpoint it is", () => {
  const at = (home: string, path: string): readonly string[] => filePlaceOf(home, { type: "file", path }).candidates;
  assert.deepEqual(filePlaceOf("/sp/savepoint-1/_metadata", { type: "relativeFile", path: "x" }).candidates, ["file:/sp/savepoint-1/x"]);
  assert.deepEqual(at("/sp/s", "file:///sp/s/x"), ["file:/sp/s/x"]);
  assert.deepEqual(at("/sp/s", "file:/etc/passwd"), ["file:/sp/s/passwd"]);
  assert.deepEqual(at("/sp/s", "file:/sp/s/../../etc/passwd"), ["file:/sp/s/passwd"]);
  assert.deepEqual(at("/c/j/chk-3", "file:/c/j/shared/x"), ["file:/c/j/shared/x", "file:/c/j/chk-3/x"]);
  assert.deepEqual(at("/new/j/chk-3", "file:/c/j/shared/sub/x"), ["file:/new/j/chk-3/x", "file:/new/j/shared/sub/x"]);
});
