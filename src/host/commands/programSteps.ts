import * as vscode from "vscode";
import type { RestoreRecord } from "../../core/ledger/record";
import type { ClusterInfo } from "../../core/model/cluster";
import type { ClaimMode, JarSummary } from "../../core/ports";
import { splitProgramArgs } from "../../core/programArgs";
import { joinText, oneLine } from "../../core/rowText";
import { ageText, countText } from "../../core/wording";
import type { RestoreRequest } from "../../services/restores";
import type { Choice, Steps } from "./steps";
import type { CommandWorld } from "./world";

/** The program of a start: what the questions for it answer. */
export type Program = Pick<RestoreRequest, "jar" | "entryClass" | "programArgs" | "parallelism">;

interface JarChoice {
  readonly jar: RestoreRequest["jar"];
  /** Main classes of its manifest; null while that is not known, for a jar on disk. */
  readonly entryClasses: readonly string[] | null;
}

/** A jar that was built in the open workspace. */
interface BuiltJar {
  readonly file: string;
  readonly name: string;
  /** Path within the workspace. */
  readonly shown: string;
  readonly modifiedAtMs: number;
}

/** Asks for jar, main class, arguments and parallelism. `jobName` is the job's that was saved, null when there is none. */
export async function askProgram(ask: Steps, world: CommandWorld, cluster: string, jobName: string | null): Promise<Program> {
  const jars = await ask.wait("Looking for jars", async (signal) => ({
    onCluster: await world.clusters.client(cluster).jars(signal), built: await builtJars(),
    starts: (await world.ledger.all()).filter((record): record is RestoreRecord => record.kind === "restore" && record.jobName === jobName),
  }));
  const { jar, entryClasses } = await askJar(ask, jars.onCluster, jars.built, jars.starts, world.clock.now());
  const last = jars.starts.filter((start) => start.jar.name === jar.name).sort((a, b) => b.requestedAtMs - a.requestedAtMs)[0];
  const entryClass = await askEntryClass(ask, entryClasses, last?.entryClass ?? "");
  const programArgs = await askArguments(ask);
  const parallelism = await askParallelism(ask);
  return { jar, programArgs, ...(entryClass === "" ? {} : { entryClass }), ...(parallelism === undefined ? {} : { parallelism }) };
}

/** Asks who owns the savepoint's files after the restore, with what each answer means (C-25…C-30). LEGACY only where the version has it. */
export function askClaimMode(ask: Steps, info: ClusterInfo): Promise<ClaimMode> {
  return ask.choose<ClaimMode>({
    placeholder: "Whose are the savepoint's files from then on?",
    choices: [
      { label: "Yours", description: "NO_CLAIM", detail: "Flink never deletes the savepoint, and other jobs can start from it too.", value: "NO_CLAIM" },
      { label: "Flink's", description: "CLAIM", detail: "Flink deletes it once checkpoints replace it; no other job may start from it.", value: "CLAIM" },
      ...(info.capabilities.legacyClaimMode ? [{ label: "Unclear", description: "LEGACY · deprecated, gone from Flink 2.0 on", detail: "Flink never deletes it, yet later checkpoints may need its files.", value: "LEGACY" as const }] : []),
    ],
  });
}

/** A program in a line, for summaries: `enrich.jar · com.acme.Main · 2 arguments · parallelism 4`. */
export function programText(program: Program): string {
  return joinText(
    oneLine(program.jar.name, 80), program.entryClass === undefined ? null : oneLine(program.entryClass, 80),
    program.programArgs.length === 0 ? "no arguments" : countText(program.programArgs.length, "argument"),
    program.parallelism === undefined ? null : `parallelism ${program.parallelism}`,
  );
}

async function askJar(ask: Steps, onCluster: readonly JarSummary[], built: readonly BuiltJar[], starts: readonly RestoreRecord[], nowMs: number): Promise<JarChoice> {
  const lastUsed = [...starts].sort((a, b) => b.requestedAtMs - a.requestedAtMs)[0]?.jar.name;
  const uploaded = [...onCluster].sort((a, b) => Number(b.name === lastUsed) - Number(a.name === lastUsed) || b.uploadedAtMs - a.uploadedAtMs);
  const newestOf = (name: string): number => Math.max(0, ...onCluster.filter((jar) => jar.name === name).map((jar) => jar.uploadedAtMs));
  const choices: (Choice<JarChoice | "disk"> & { readonly rank: number })[] = [
    ...built.map((jar) => {
      const fresh = jar.name === lastUsed && jar.modifiedAtMs > newestOf(jar.name);
      return { label: `$(package) ${jar.name}`, description: joinText(`built ${ageText(jar.modifiedAtMs, nowMs)}`, fresh && "newer than on the cluster", jar.shown), value: { jar: { file: jar.file, name: jar.name }, entryClasses: null }, rank: fresh ? 0 : 2 };
    }),
    ...uploaded.map((jar) => ({
      label: `$(cloud) ${oneLine(jar.name, 100)}`, description: joinText(`uploaded ${ageText(jar.uploadedAtMs, nowMs)}`, jar.name === lastUsed && "used last time", jar.entryClasses[0] ?? "no main class in its manifest"),
      value: { jar: { id: jar.jarId, name: jar.name }, entryClasses: jar.entryClasses }, rank: 1,
    })),
    { label: "$(cloud-upload) Upload from disk…", value: "disk", rank: 3 },
  ];
  const chosen = await ask.choose({ placeholder: "Which program is started?", choices: choices.sort((a, b) => a.rank - b.rank) });
  if (chosen !== "disk") return chosen;
  const files = await ask.aside(() => vscode.window.showOpenDialog({ title: "Jar to start", openLabel: "Choose", filters: { "Jar files": ["jar"] }, ...folderOfWorkspace() }));
  const file = files?.[0];
  if (file === undefined) return ask.back();
  return { jar: { file: file.fsPath, name: file.path.split("/").at(-1) ?? file.path }, entryClasses: null };
}

/** Resolves to "" for the one in the manifest. */
async function askEntryClass(ask: Steps, inManifest: readonly string[] | null, last: string): Promise<string> {
  const [only, second] = inManifest ?? [];
  if (only !== undefined && second === undefined) return "";
  if (inManifest !== null && only !== undefined) return ask.choose({ placeholder: "Which main class?", choices: inManifest.map((name) => ({ label: name, value: name })) });
  const required = inManifest !== null;
  return ask.enter({
    prompt: required ? "The jar's manifest names no main class. Which one is started?" : "Main class. Empty takes the one in the jar's manifest.", placeholder: "such as: com.acme.Main", initial: last,
    check: (text) => {
      if (text === "") return required ? { severity: "error", text: "A main class is needed." } : undefined;
      return /^[\p{L}_$][\p{L}\p{N}_$]*(\.[\p{L}_$][\p{L}\p{N}_$]*)*$/u.test(text) ? undefined : { severity: "error", text: "Not a class name such as com.acme.Main." };
    },
  });
}

/** Asks for the program's arguments in one line, and shows how it is split. */
export async function askArguments(ask: Steps, prompt = "Arguments of the program, quoted as in a shell. Flink does not tell which ones the job ran with; empty means none."): Promise<readonly string[]> {
  const line = await ask.enter({
    prompt, placeholder: "such as: --checkpoint-interval '10 s'",
    check: (text) => {
      const words = splitProgramArgs(text);
      if (words === undefined) return { severity: "error", text: "A quote is still open." };
      return words.length === 0 ? undefined : { severity: "information", text: `${countText(words.length, "argument")}: ${words.map((word) => `‹${word}›`).join(" ")}` };
    },
  });
  return splitProgramArgs(line) ?? [];
}

async function askParallelism(ask: Steps): Promise<number | undefined> {
  const text = await ask.enter({
    prompt: "Parallelism. Empty leaves it to the program and the cluster.", placeholder: "as the program says",
    check: (typed) => (typed === "" || (/^\d{1,5}$/.test(typed) && Number(typed) >= 1 && Number(typed) <= 32768) ? undefined : { severity: "error", text: "A whole number from 1 to 32768." }),
  });
  return text === "" ? undefined : Number(text);
}

/** Jars below `target` (Maven) and `build/libs` (Gradle) of the open folders, newest first, without those that hold sources or unshaded originals. */
async function builtJars(): Promise<readonly BuiltJar[]> {
  if (!vscode.workspace.isTrusted) return [];
  const found = await vscode.workspace.findFiles("**/{target,build/libs}/*.jar", "**/node_modules/**", 200);
  const named = found.filter((file) => file.scheme === "file" && !/(^|\/)original-[^/]*$|-(sources|javadoc|tests?)\.jar$/.test(file.path));
  const jars = await Promise.all(named.map(async (file): Promise<BuiltJar> => {
    const { mtime } = await vscode.workspace.fs.stat(file);
    return { file: file.fsPath, name: file.path.split("/").at(-1) ?? file.path, shown: vscode.workspace.asRelativePath(file), modifiedAtMs: mtime };
  }));
  return jars.sort((a, b) => b.modifiedAtMs - a.modifiedAtMs).slice(0, 10);
}

function folderOfWorkspace(): { defaultUri?: vscode.Uri } {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return folder === undefined ? {} : { defaultUri: folder };
}
