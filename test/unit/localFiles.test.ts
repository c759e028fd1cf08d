import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { openLocalFile, openRegularFile } from "../../src/clients/localFiles";
import { scanMetadata } from "../../src/core/metadata/scan";
import { savepointStates } from "../../src/core/metadata/states/savepointStates";
import { problemText } from "../../src/core/metadata/problemText";
import { rejected } from "./rejected";

const scratch = await mkdtemp(path.join(tmpdir(), "flink-savepoints-files-"));
after(() => rm(scratch, { recursive: true, force: true }));

/** A savepoint with its state files, in a new folder. */
async function savepoint(): Promise<string> {
  const folder = await mkdtemp(path.join(scratch, "savepoint-"));
  await cp(path.join("test", "fixtures", "metadata", "2.3.0", "canonical"), folder, { recursive: true });
  return folder;
}

const stateFilesOf = async (folder: string): Promise<string[]> => (await readdir(folder)).filter((name) => /^[0-9a-f-]{36}$/.test(name)).sort();

/** What keeps states from being read; empty when all were. */
async function problemsOf(folder: string): Promise<string[]> {
  const input = await openRegularFile(path.join(folder, "_metadata"));
  try {
    const { metadata } = await scanMetadata(input);
    assert.ok(metadata);
    const problems: string[] = [];
    for await (const reading of savepointStates(input, metadata, { folder, open: openLocalFile })) problems.push(...reading.problems.map(problemText));
    return problems;
  } finally {
    await input.close();
  }
}

describe("a file that a savepoint names", { skip: process.platform === "win32" ? "links need rights there" : false }, () => {
  test("is not read through a link that leads out of its folder, and the rest is", async () => {
    const folder = await savepoint();
    const [first = ""] = await stateFilesOf(folder);
    await rename(path.join(folder, first), path.join(scratch, "outside"));
    await symlink(path.join(scratch, "outside"), path.join(folder, first));
    const problems = await problemsOf(folder);
    assert.ok(problems.length > 0);
    for (const problem of problems) assert.match(problem, new RegExp(`${first} can't be read \\(a link leads out of the savepoint, and is not followed\\)`));
  });

  test("is not read below a folder that is a link", async () => {
    const folder = await savepoint();
    const elsewhere = await mkdtemp(path.join(scratch, "elsewhere-"));
    await writeFile(path.join(elsewhere, "state"), "secret");
    await symlink(elsewhere, path.join(folder, "below"));
    assert.equal((await rejected(openLocalFile(`file:${folder}/below/state`, `file:${folder}`), "file-unreadable")).facts.reason, "a link leads out of the savepoint, and is not followed");
    assert.equal(await openLocalFile(`file:${folder}/below/nothing`, `file:${folder}`), undefined);
  });

  test("is read through links that stay within, and whatever links the person's own path goes through", async () => {
    const folder = await savepoint();
    const [first = ""] = await stateFilesOf(folder);
    await mkdir(path.join(folder, "kept"));
    await rename(path.join(folder, first), path.join(folder, "kept", first));
    await symlink(path.join("kept", first), path.join(folder, first));
    assert.deepEqual(await problemsOf(folder), []);
    const link = path.join(scratch, "newest");
    await symlink(folder, link);
    assert.deepEqual(await problemsOf(link), []);
  });

  test("of a checkpoint may be linked from the other folders of its job", async () => {
    const job = await mkdtemp(path.join(scratch, "job-"));
    await mkdir(path.join(job, "chk-7"));
    await mkdir(path.join(job, "shared"));
    await writeFile(path.join(job, "shared", "a"), "state");
    await symlink(path.join("..", "shared", "a"), path.join(job, "chk-7", "a"));
    const opened = await openLocalFile(`file:${job}/chk-7/a`, `file:${job}`);
    assert.equal(opened?.sizeBytes, 5);
    await opened?.close();
  });
});
