import { readFile } from "node:fs/promises";
import path from "node:path";
import { workerData } from "node:worker_threads";
import { digestOf } from "../clients/lintCache/digest";
import { WorkspaceFacts } from "../clients/lintCache/workspaceFacts";
import { findFiles, readBytes, textOf } from "../clients/lintFiles";
import { loadSyntax } from "../clients/syntax/treeSitter";
import { starterPort } from "../clients/workerThread";
import { isLintable } from "../core/lint/lintWorkspace";
import { isSkippedFolder } from "../core/lint/paths";
import type { LintApi, LintedFile, LintEvents, LintFolder } from "../core/lint/protocol";
import { LintSession } from "../core/lint/session";
import { serve, type Server, type WireError } from "../core/rpc";

/** The thread that lints; its start data names the folder of the grammars, and the one where facts outlast it, where there is one. */
const { grammars, cache } = workerData as { readonly grammars: string; readonly cache?: string };

let folders: readonly LintFolder[] = [];
/** Without parsers nothing can be answered: the thread ends, and whoever started it learns why. */
const session = loadSyntax(grammars).then((syntax) => new LintSession(syntax, failed), (error: unknown) => {
  setImmediate(() => {
    throw error;
  });
  return new Promise<never>(() => undefined);
});

const kept = readFile(path.join(grammars, "worker", "lint.build"), "utf8").then((build) => new WorkspaceFacts(cache === undefined ? undefined : { folder: cache, build }), () => new WorkspaceFacts(undefined));

const server: Server<LintEvents> = serve<LintApi, LintEvents>(starterPort(), {
  open: async ({ path: file, text }) => told((await session).open(file, text)),
  edit: async ({ path: file, edits }) => told((await session).edit(file, edits)),
  async close({ path: file }) {
    (await session).close(file);
    await readAgain(file);
    return null;
  },
  async findings({ paths }) {
    const linted: LintedFile[] = [];
    for (const file of paths) linted.push(await told(await findingsNow(file)));
    return linted;
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
  const facts = await kept;
  await facts.load(wanted);
  const before = facts.encoded;
  const looked: string[] = [];
  try {
    for (const [done, { file, at }] of all.entries()) {
      signal.throwIfAborted();
      if (done % 100 === 0) server.emit("indexing", { done, total: all.length });
      // Reading waits for the disk, and questions are answered meanwhile.
      if (await takeIn(at, file) === undefined) unreadable++;
      else if (!held.isOpen(at)) looked.push(at);
    }
  } finally {
    await facts.save(looked);
  }
  const there = new Set(all.map(({ at }) => at));
  for (const known of held.paths) if (!known.startsWith("-/") && !there.has(known)) forget(held, facts, known);
  return { files: all.length, unreadable, parsed: facts.encoded - before, left: held.left };
}

/** Takes in what lies on disk now. */
async function readAgain(at: string): Promise<void> {
  const file = fileOf(at);
  if (file !== undefined) await takeIn(at, file);
}

/** Where a file of the folders lies; undefined when the lint does not look there. */
function fileOf(at: string): string | undefined {
  const folder = folders.find(({ prefix }) => at.startsWith(prefix));
  const within = folder === undefined ? [] : at.slice(folder.prefix.length).split("/");
  return folder === undefined || within.slice(0, -1).some(isSkippedFolder) ? undefined : path.join(folder.folder, ...within);
}

/** Puts a file in as it lies on disk, unless it is open or in already as it is. Resolves to its bytes, undefined when they can't be read; then it is taken out. */
async function takeIn(at: string, file: string): Promise<Uint8Array | undefined> {
  const [held, facts] = [await session, await kept];
  const bytes = await readBytes(file).catch(() => undefined);
  if (bytes === undefined) {
    if (!held.isOpen(at)) forget(held, facts, at);
    return undefined;
  }
  const digest = digestOf([bytes]);
  if (!held.isOpen(at) && !(held.has(at) && facts.has(at, digest))) {
    const { known, keep } = facts.at(at, digest);
    held.put(at, textOf(bytes), known, keep);
    if (!held.has(at)) facts.drop(at);
  }
  return bytes;
}

function forget(held: LintSession, facts: WorkspaceFacts, at: string): void {
  facts.drop(at);
  held.remove(at);
}

/** What is wrong in a document that is open, or in a file as it lies on disk now. */
async function findingsNow(at: string): Promise<LintedFile> {
  const held = await session;
  const file = held.isOpen(at) || !held.has(at) ? undefined : fileOf(at);
  const bytes = file === undefined ? undefined : await takeIn(at, file);
  return held.findings(at, bytes === undefined ? undefined : textOf(bytes));
}

/** What was made for an answer is let go of once it is much. */
async function told(answer: LintedFile): Promise<LintedFile> {
  (await kept).trim();
  return answer;
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
