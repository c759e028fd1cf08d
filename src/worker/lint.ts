import path from "node:path";
import { workerData } from "node:worker_threads";
import { findFiles, readText } from "../clients/lintFiles";
import { loadSyntax } from "../clients/syntax/treeSitter";
import { starterPort } from "../clients/workerThread";
import { isLintable } from "../core/lint/lintWorkspace";
import { isSkippedFolder } from "../core/lint/paths";
import type { LintApi, LintEvents, LintFolder } from "../core/lint/protocol";
import { LintSession } from "../core/lint/session";
import { serve, type Server, type WireError } from "../core/rpc";

/** The thread that lints; its start data names the folder of the grammars. */
const { grammars } = workerData as { readonly grammars: string };

let folders: readonly LintFolder[] = [];
/** Without parsers nothing can be answered: the thread ends, and whoever started it learns why. */
const session = loadSyntax(grammars).then((syntax) => new LintSession(syntax, failed), (error: unknown) => {
  setImmediate(() => {
    throw error;
  });
  return new Promise<never>(() => undefined);
});

const server: Server<LintEvents> = serve<LintApi, LintEvents>(starterPort(), {
  open: async ({ path: file, text }) => (await session).open(file, text),
  edit: async ({ path: file, edits }) => (await session).edit(file, edits),
  async close({ path: file }) {
    (await session).close(file);
    await readAgain(file);
    return null;
  },
  async findings({ paths }) {
    const held = await session;
    return paths.map((file) => held.findings(file));
  },
  index: async (params, signal) => index(params.folders, signal),
  async changed({ paths }) {
    for (const file of paths) await readAgain(file);
    return null;
  },
  uids: async () => (await session).uids,
  paths: async () => (await session).paths,
}, wireError);

async function index(wanted: readonly LintFolder[], signal: AbortSignal): Promise<ReturnType<LintApi["index"]>> {
  folders = wanted;
  const held = await session;
  const all: { readonly file: string; readonly at: string }[] = [];
  let unreadable = 0;
  for (const { prefix, folder } of wanted) {
    signal.throwIfAborted();
    const found = await findFiles(folder, isLintable);
    unreadable += found.unreadable.length;
    for (const file of found.files) all.push({ file, at: prefix + path.relative(folder, file).split(path.sep).join("/") });
  }
  for (const [done, { file, at }] of all.entries()) {
    signal.throwIfAborted();
    if (done % 100 === 0) server.emit("indexing", { done, total: all.length });
    // Reading waits for the disk, and questions are answered meanwhile.
    const text = await readText(file).catch(() => undefined);
    if (text === undefined) unreadable++;
    else held.put(at, text);
  }
  const there = new Set(all.map(({ at }) => at));
  for (const known of held.paths) if (!known.startsWith("-/") && !there.has(known)) held.remove(known);
  return { files: all.length, unreadable };
}

/** Takes in what lies on disk now. */
async function readAgain(file: string): Promise<void> {
  const held = await session;
  const folder = folders.find(({ prefix }) => file.startsWith(prefix));
  if (folder === undefined || held.isOpen(file) || file.slice(folder.prefix.length).split("/").slice(0, -1).some(isSkippedFolder)) return;
  const text = await readText(path.join(folder.folder, file.slice(folder.prefix.length))).catch(() => undefined);
  if (text === undefined) held.remove(file);
  else held.put(file, text);
}

function failed(file: string, error: unknown): void {
  endIfBroken(error);
  server.emit("failed", { path: file, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

function wireError(error: unknown): WireError {
  endIfBroken(error);
  return { code: "unexpected", sentence: error instanceof Error ? error.message : String(error) };
}

/** WebAssembly that trapped keeps its memory as the trap left it, so nothing it says afterwards can be believed: whoever started this starts another. */
function endIfBroken(error: unknown): void {
  if (error instanceof Error && error.name === "RuntimeError") setImmediate(() => {
    throw error;
  });
}
