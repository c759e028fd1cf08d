import { execFile } from "node:child_process";
import { devNull } from "node:os";
import path from "node:path";
import type { WorkspaceCommit } from "../core/ports";

/** For all of it: a slow disk or a huge repository must not hold up a savepoint. */
const timeoutMs = 3_000;

/** Overrules settings by which a repository has programs run or others asked. */
const harmless = ["core.fsmonitor=false", `core.hooksPath=${devNull}`, "protocol.allow=never", "safe.bareRepository=explicit"];

/** Variables by which a user sets git up, as opposed to those that name a repository. */
const usersOwn: ReadonlySet<string> = new Set([
  "GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM",
]);

/**
 * The commit checked out in `folder`, or null when there is no git, no repository or no commit, or when git takes longer than three seconds.
 * `dirty` counts new files that are not ignored; submodules are not looked into. Where the comparison takes too long or fails, it is true.
 * Nothing that the repository brings along is run, and nothing is written. Rejects with the signal's reason when aborted.
 */
export async function workspaceCommit(folder: string, signal: AbortSignal): Promise<WorkspaceCommit | null> {
  signal.throwIfAborted();
  const endMs = Date.now() + timeoutMs;
  const [head, settings] = await Promise.all([
    git(folder, ["rev-parse", "HEAD", "--symbolic-full-name", "HEAD"], [], endMs, signal),
    git(folder, ["config", "--show-scope", "--includes", "--name-only", "-z", "--get-regexp", "^filter\\."], [], endMs, signal),
  ]);
  const [commit, ref] = head.exitCode === 0 ? head.output.trim().split("\n") : [];
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) return null;
  const branch = ref?.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : null;
  // 1 = there are none. Without knowing what would be run, nothing is compared.
  if (settings.exitCode !== 0 && settings.exitCode !== 1) return { commit, branch, dirty: true };
  const compare = ["status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=all", "--no-renames"];
  const status = await git(folder, compare, ownFilters(settings.output), endMs, signal);
  return { commit, branch, dirty: status.exitCode !== 0 || status.output !== "" };
}

/** The filter programs that the repository itself names; comparing contents would run them. The user's own (such as LFS) stay. */
function ownFilters(scopesAndKeys: string): readonly string[] {
  const fields = scopesAndKeys.split("\0");
  return fields.filter((_key, at) => at % 2 === 1 && !["system", "global"].includes(fields[at - 1] ?? ""));
}

/** How a run of git ended; `exitCode` is null when it did not end by itself, or never started. */
interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs git until `endMs` at the latest; `emptied` names settings to be overruled with nothing. */
function git(folder: string, args: readonly string[], emptied: readonly string[], endMs: number, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(
      "git",
      ["--no-pager", ...harmless.flatMap((setting) => ["-c", setting]), "-C", folder, ...args],
      {
        // Not in the folder itself: Windows looks for programs in the working directory first.
        cwd: path.dirname(process.execPath),
        env: environment(emptied), signal, timeout: Math.max(1, endMs - Date.now()), killSignal: "SIGKILL",
        windowsHide: true, maxBuffer: 1 << 20, encoding: "utf8",
      },
      (error, output) => {
        if (signal.aborted) reject(signal.reason as Error);
        else resolve({ exitCode: error === null ? 0 : typeof error.code === "number" && !error.killed ? error.code : null, output });
      },
    );
  });
}

/** The environment without what points git to another repository, and without any way to ask, to fetch, or to write on the side. */
function environment(emptied: readonly string[]): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.toUpperCase().startsWith("GIT_") || usersOwn.has(name.toUpperCase()));
  const overruled = emptied.flatMap((key, at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, key.toLowerCase().endsWith(".required") ? "false" : ""],
  ]);
  return {
    ...Object.fromEntries(inherited), ...Object.fromEntries(overruled), GIT_CONFIG_COUNT: String(emptied.length),
    GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", GIT_NO_LAZY_FETCH: "1", GIT_ALLOW_PROTOCOL: "none",
  };
}
