import { workerData, type MessagePort } from "node:worker_threads";
import { readText } from "../clients/lintFiles";
import { unreadableReason } from "../clients/localFiles";
import { loadSyntax } from "../clients/syntax/treeSitter";
import { starterPort } from "../clients/workerThread";
import { grammarsFor, isBuildFile, LintWorkspace } from "../core/lint/lintWorkspace";
import type { LintFile, LintShareApi, SharedFile, ShareMessage } from "../core/lint/shareProtocol";
import { serve } from "../core/rpc";

/** Files that are on their way from the disk at once. */
const readAhead = 16;
/** Files that go to the other threads at once. */
const perMessage = 50;

/** A thread that lints its share of many files: it reads its own, tells the others what it read, and then looks at its own with what all know. */
const { grammars, peers } = workerData as { readonly grammars: string; readonly peers: readonly MessagePort[] };

serve<LintShareApi>(starterPort(), { lint: async ({ files }) => lint(files) }, (error) => ({ code: "unexpected", sentence: error instanceof Error ? (error.stack ?? error.message) : String(error) }));

async function lint(files: readonly LintFile[]): Promise<readonly SharedFile[]> {
  const workspace = new LintWorkspace(await loadSyntax(grammars, grammarsFor(files.map(({ path }) => path))));
  const others = peers.map((peer) => heard(peer, workspace));
  const results = new Map<string, SharedFile>();
  let batch: Exclude<ShareMessage, null>[number][] = [];
  const tell = (message: ShareMessage): void => peers.forEach((peer) => peer.postMessage(message));
  for await (const { file: { path, wanted }, text } of texts(files)) {
    const took = take(workspace, path, text);
    if (wanted) results.set(path, took);
    if (isBuildFile(path) && typeof text === "string") batch.push({ path, text });
    const facts = workspace.facts(path);
    if (facts !== undefined) batch.push({ path, facts });
    if (batch.length < perMessage) continue;
    tell(batch);
    batch = [];
  }
  tell(batch);
  tell(null);
  await Promise.all(others);
  peers.forEach((peer) => peer.close());
  workspace.sort();
  return [...results.values()].map((result) => (result.failure === null && result.skip === null ? look(workspace, result) : result));
}

/** The texts of files in their order, or why one could not be read. */
async function* texts(files: readonly LintFile[]): AsyncGenerator<{ readonly file: LintFile; readonly text: string | { readonly reason: string } }> {
  const reading = files.slice(0, readAhead).map(read);
  for (const [at, file] of files.entries()) {
    const next = files[at + readAhead];
    if (next !== undefined) reading.push(read(next));
    const text = await reading[at];
    if (text !== undefined) yield { file, text };
    delete reading[at];
  }
}

function read({ file }: LintFile): Promise<string | { readonly reason: string }> {
  return readText(file).catch((error: unknown) => ({ reason: unreadableReason(error) }));
}

function take(workspace: LintWorkspace, path: string, text: string | { readonly reason: string }): SharedFile {
  if (typeof text !== "string") return { path, findings: [], skip: null, failure: { reason: text.reason, inAnalysis: false } };
  try {
    return { path, findings: [], skip: workspace.put(path, text) ?? null, failure: null };
  } catch (error) {
    workspace.remove(path);
    return { path, findings: [], skip: null, failure: failureOf(error) };
  }
}

function look(workspace: LintWorkspace, result: SharedFile): SharedFile {
  try {
    return { ...result, findings: workspace.findings(result.path) };
  } catch (error) {
    return { ...result, failure: failureOf(error) };
  }
}

/** WebAssembly that trapped keeps its memory as the trap left it, so nothing it says afterwards can be believed. */
function failureOf(error: unknown): SharedFile["failure"] {
  if (error instanceof Error && error.name === "RuntimeError") throw error;
  return { reason: error instanceof Error ? error.message : String(error), inAnalysis: true };
}

/** Takes in what another thread reads; resolves when it has read everything. */
function heard(peer: MessagePort, workspace: LintWorkspace): Promise<void> {
  return new Promise((resolve) => {
    peer.on("message", (message: ShareMessage) => {
      if (message === null) return resolve();
      for (const told of message) {
        if ("facts" in told) workspace.adopt(told.path, told.facts);
        else workspace.put(told.path, told.text);
      }
    });
  });
}
