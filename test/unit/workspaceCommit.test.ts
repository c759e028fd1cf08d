import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { access, chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { workspaceCommit } from "../../src/clients/workspaceCommit";

const root = await mkdtemp(path.join(tmpdir(), "commit-"));
after(() => rm(root, { recursive: true, force: true }));

const { signal } = new AbortController();
let repositories = 0;

async function newFolder(): Promise<string> {
  const folder = path.join(root, String(++repositories));
  await mkdir(folder);
  return folder;
}

function git(folder: string, ...args: string[]): string {
  return execFileSync("git", ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", ...args], { cwd: folder, encoding: "utf8" }).trim();
}

async function repository(): Promise<{ folder: string; commit: string }> {
  const folder = await newFolder();
  git(folder, "init", "-q", "-b", "main");
  await writeFile(path.join(folder, "Job.java"), "class Job {}\n");
  git(folder, "add", ".");
  git(folder, "commit", "-q", "-m", "first");
  return { folder, commit: git(folder, "rev-parse", "HEAD") };
}

describe("the commit of the workspace", () => {
  test("is that of the repository around the folder, with its branch", async () => {
    const { folder, commit } = await repository();
    assert.deepEqual(await workspaceCommit(folder, signal), { commit, branch: "main", dirty: false });
    git(folder, "checkout", "-q", "-b", "feature/länger");
    await mkdir(path.join(folder, "sub"));
    assert.deepEqual(await workspaceCommit(path.join(folder, "sub"), signal), { commit, branch: "feature/länger", dirty: false });
    git(folder, "checkout", "-q", "--detach");
    assert.deepEqual(await workspaceCommit(folder, signal), { commit, branch: null, dirty: false });
  });

  test("is dirty with changed and with new files, and not with ignored ones", async () => {
    const { folder, commit } = await repository();
    await writeFile(path.join(folder, ".git", "info", "exclude"), "*.class\n");
    await writeFile(path.join(folder, "Job.class"), "x");
    assert.equal((await workspaceCommit(folder, signal))?.dirty, false);
    await writeFile(path.join(folder, "New.java"), "x");
    assert.deepEqual(await workspaceCommit(folder, signal), { commit, branch: "main", dirty: true });
    await rm(path.join(folder, "New.java"));
    await writeFile(path.join(folder, "Job.java"), "class Job { int x; }\n");
    assert.equal((await workspaceCommit(folder, signal))?.dirty, true);
  });

  test("is none without a repository, without a commit, and without the folder", async () => {
    const folder = await newFolder();
    assert.equal(await workspaceCommit(folder, signal), null);
    git(folder, "init", "-q");
    assert.equal(await workspaceCommit(folder, signal), null);
    assert.equal(await workspaceCommit(path.join(folder, "none"), signal), null);
  });

  test("is none without git", async () => {
    const { folder } = await repository();
    const before = process.env["PATH"];
    process.env["PATH"] = folder;
    try {
      assert.equal(await workspaceCommit(folder, signal), null);
    } finally {
      process.env["PATH"] = before;
    }
  });

  test("is not taken from where the environment points", async () => {
    const [{ folder, commit }, other] = [await repository(), await repository()];
    git(other.folder, "commit", "-q", "--allow-empty", "-m", "second");
    process.env["GIT_DIR"] = path.join(other.folder, ".git");
    try {
      assert.equal((await workspaceCommit(folder, signal))?.commit, commit);
    } finally {
      delete process.env["GIT_DIR"];
    }
  });

  test("is found without running anything that the repository names", async () => {
    const { folder } = await repository();
    await writeFile(path.join(folder, "Notes.txt"), "notes\n");
    git(folder, "add", ".");
    git(folder, "commit", "-q", "-m", "second");
    const commit = git(folder, "rev-parse", "HEAD");
    const marker = path.join(root, "was-run");
    const trap = path.join(folder, ".git", "trap.sh");
    await writeFile(trap, `#!/bin/sh\necho "$0 $*" >> '${marker}'\ncat\n`);
    await chmod(trap, 0o755);
    await writeFile(path.join(folder, ".git", "hooks", "post-index-change"), `#!/bin/sh\necho hook >> '${marker}'\n`);
    await chmod(path.join(folder, ".git", "hooks", "post-index-change"), 0o755);
    await writeFile(path.join(folder, ".git", "more"), `[filter "b=c"]\n\tprocess = ${trap}\n\trequired = true\n`);
    for (const key of ["core.fsmonitor", "core.sshCommand", "core.pager", "diff.external", "filter.evil.clean"]) git(folder, "config", key, trap);
    git(folder, "config", "filter.evil.required", "true");
    git(folder, "config", "include.path", "more");
    await writeFile(path.join(folder, ".git", "info", "attributes"), "*.java filter=evil\n*.txt filter=b=c\n");
    // The same content with another time: only a comparison of contents can tell, and that is what runs filters.
    await writeFile(path.join(folder, "Job.java"), "class Job {}\n");
    await writeFile(path.join(folder, "Notes.txt"), "notes\n");
    assert.deepEqual(await workspaceCommit(folder, signal), { commit, branch: "main", dirty: false });
    await assert.rejects(access(marker), "nothing was run");
    // The trap is one: git by itself walks into it (and then fails, as the trap is no real filter).
    spawnSync("git", ["status", "--porcelain"], { cwd: folder, stdio: "ignore" });
    await access(marker);
  });

  test("rejects with the reason when aborted", async () => {
    const { folder } = await repository();
    const controller = new AbortController();
    const looking = workspaceCommit(folder, controller.signal);
    controller.abort(new Error("closed"));
    await assert.rejects(looking, /closed/);
    await assert.rejects(workspaceCommit(folder, controller.signal), /closed/);
  });
});
