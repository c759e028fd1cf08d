import { workerData, type MessagePort } from "node:worker_threads";
import { decodeFacts, FactsEncoder } from "../clients/lintCache/factsCodec";
import { digestOf } from "../clients/lintCache/digest";
import { bytesNow, readBytes, textOf } from "../clients/lintFiles";
import { unreadableReason } from "../clients/localFiles";
import { loadSyntax, type LoadableSyntax } from "../clients/syntax/treeSitter";
import { starterPort } from "../clients/workerThread";
import { isBuildFile } from "../core/lint/fileNames";
import { familyOf, grammarsFor, LintWorkspace } from "../core/lint/lintWorkspace";
import type { KeptFile, KnownFacts, LintShareApi, ShareMessage } from "../core/lint/shareProtocol";
import { serve } from "../core/rpc";

/** Files that go to the other threads at once. */
const perMessage = 50;

/** Another such thread, and the families of the files in its share: of no others it needs facts. */
interface Peer {
  readonly port: MessagePort;
  readonly families: ReadonlySet<string | undefined>;
}

/** A thread that lints its share of many files: it reads its own, tells the others what it read, and then looks at its own with what all know. */
const { grammars, peers: given } = workerData as { readonly grammars: string; readonly peers: readonly { readonly port: MessagePort; readonly paths: readonly string[] }[] };
const peers = given.map(({ port, paths }): Peer => ({ port, families: new Set(paths.map(familyOf)) }));

serve<LintShareApi>(starterPort(), { lint: async (params) => lint(params) }, (error) => ({ code: "unexpected", sentence: error instanceof Error ? (error.stack ?? error.message) : String(error) }));

async function lint({ files, known, keep }: Parameters<LintShareApi["lint"]>[0]): Promise<readonly KeptFile[]> {
  const syntax = await loadSyntax(grammars, []);
  const workspace = new LintWorkspace(syntax);
  const others = peers.map(({ port }) => heard(port, workspace));
  const encoder = new FactsEncoder();
  const results: { readonly result: KeptFile; readonly wanted: boolean }[] = [];
  let batch: Exclude<ShareMessage, null>[number][] = [];
  const tell = (): void => peers.forEach(({ port, families }) => port.postMessage(batch.filter(({ path }) => isBuildFile(path) || families.has(familyOf(path))) satisfies ShareMessage));
  for (const { path, file, wanted } of files) {
    const bytes = bytesNow(file) ?? await readBytes(file).catch((error: unknown) => ({ reason: unreadableReason(error) }));
    const took = await take(path, bytes, known.get(path), keep, workspace, syntax);
    const facts = keep || peers.some(({ families }) => families.has(familyOf(path))) ? (took.facts ?? encoded(workspace.facts(path), encoder)) : null;
    results.push({ result: { ...took, facts }, wanted });
    if (isBuildFile(path) && bytes instanceof Uint8Array) batch.push({ path, text: textOf(bytes) });
    if (facts !== null) batch.push({ path, facts });
    if (batch.length < perMessage) continue;
    tell();
    batch = [];
  }
  tell();
  peers.forEach(({ port }) => port.postMessage(null satisfies ShareMessage));
  await Promise.all(others);
  peers.forEach(({ port }) => port.close());
  workspace.sort();
  return results.map(({ result, wanted }) => (wanted && result.failure === null && result.skip === null ? look(workspace, result) : result));
}

/** Puts a file in. Its facts are those that are known, where its bytes are the same; else it has none here yet. */
async function take(path: string, bytes: Uint8Array | { readonly reason: string }, known: KnownFacts | undefined, keep: boolean, workspace: LintWorkspace, syntax: LoadableSyntax): Promise<KeptFile> {
  const result: KeptFile = { path, findings: [], skip: null, failure: null, digest: null, facts: null };
  if (!(bytes instanceof Uint8Array)) return { ...result, failure: { reason: bytes.reason, inAnalysis: false } };
  const digest = keep ? digestOf([bytes]) : null;
  const before = known !== undefined && known.digest === digest ? factsFor(path, known.facts) : undefined;
  if (before === undefined) await syntax.load(grammarsFor([path]));
  try {
    const skip = workspace.put(path, textOf(bytes), before) ?? null;
    return { ...result, skip, digest, facts: before === undefined ? null : (known?.facts ?? null) };
  } catch (error) {
    workspace.remove(path);
    return { ...result, failure: failureOf(error) };
  }
}

/** What was kept of the file, unless it is another one's, or damaged. */
function factsFor(path: string, bytes: Uint8Array): unknown {
  try {
    const facts = decodeFacts(bytes);
    return typeof facts === "object" && facts !== null && "path" in facts && facts.path === path ? facts : undefined;
  } catch {
    return undefined;
  }
}

/** Those without a path are made anew as fast as they are read. */
function encoded(facts: unknown, encoder: FactsEncoder): Uint8Array<ArrayBuffer> | null {
  return facts === undefined ? null : encoder.encode(facts);
}

function look(workspace: LintWorkspace, result: KeptFile): KeptFile {
  try {
    return { ...result, findings: workspace.findings(result.path) };
  } catch (error) {
    return { ...result, failure: failureOf(error) };
  }
}

/** WebAssembly that trapped keeps its memory as the trap left it, so nothing it says afterwards can be believed. */
function failureOf(error: unknown): KeptFile["failure"] {
  if (error instanceof Error && error.name === "RuntimeError") throw error;
  return { reason: error instanceof Error ? error.message : String(error), inAnalysis: true };
}

/** Takes in what another thread reads; resolves when it has read everything. */
function heard(peer: MessagePort, workspace: LintWorkspace): Promise<void> {
  return new Promise((resolve) => {
    peer.on("message", (message: ShareMessage) => {
      if (message === null) return resolve();
      for (const told of message) {
        if ("facts" in told) workspace.adopt(told.path, decodeFacts(told.facts));
        else workspace.adoptBuildFile(told.path, told.text);
      }
    });
  });
}
