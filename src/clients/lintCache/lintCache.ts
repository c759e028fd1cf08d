import { homedir } from "node:os";
import path from "node:path";
import type { KeptFile, KnownFacts, LintFile, SharedFile } from "../../core/lint/shareProtocol";
import { bytesNow } from "../lintFiles";
import { CacheFile, digestBytes, lintFolder, tidy } from "./cacheFile";
import { digestOf } from "./digest";
import { FactsFile } from "./factsFile";

const filesPerSlice = 64;

/** Where a run of the lint is made: what it was told and the build that makes it. Only what the same build wrote is ever used. */
export interface LintRun {
  /** Absolute; paths are relative to it. */
  readonly workingFolder: string;
  /** The files and folders to lint, as given. */
  readonly roots: readonly string[];
  /** Tells builds of the analysis apart. */
  readonly build: string;
}

/**
 * The folder of the cache: what `FLINK_SAVEPOINTS_CACHE` names, else the place the system has for such things. Undefined when that is `off`, or
 * the user has no home.
 */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>, platform = process.platform): string | undefined {
  const named = env["FLINK_SAVEPOINTS_CACHE"];
  if (named === "off") return undefined;
  if (named !== undefined && path.isAbsolute(named)) return named;
  const home = homedir();
  if (platform === "win32") return absolute(env["LOCALAPPDATA"], "flink-savepoints", "Cache") ?? absolute(home, "AppData", "Local", "flink-savepoints", "Cache");
  return platform === "darwin" ? absolute(home, "Library", "Caches", "flink-savepoints") : (absolute(env["XDG_CACHE_HOME"], "flink-savepoints") ?? absolute(home, ".cache", "flink-savepoints"));
}

function absolute(folder: string | undefined, ...parts: readonly string[]): string | undefined {
  return folder !== undefined && path.isAbsolute(folder) ? path.join(folder, ...parts) : undefined;
}

/**
 * What runs of the lint leave for the next ones: the findings of the last run with the same arguments, which are told again while every file is as it
 * was, to the byte; and the facts of each file, from which they are made when some other has changed. Nothing here throws: a cache that can't be read or
 * written is none.
 */
export class LintCache {
  readonly #folder: string;
  readonly #findings: CacheFile;
  readonly #facts: FactsFile;

  constructor(folder: string, { workingFolder, roots, build }: LintRun) {
    this.#folder = lintFolder(folder);
    // Node, too: how it compares texts follows its version.
    const whose = [build, process.version, process.arch, workingFolder];
    this.#findings = new CacheFile(this.#folder, "findings", [...whose, ...roots]);
    this.#facts = new FactsFile(this.#folder, whose);
  }

  /** What the last run with these arguments found, when every file is as it was then. Throws the signal's reason. */
  async findings(files: readonly LintFile[], signal: AbortSignal): Promise<readonly SharedFile[] | undefined> {
    const kept = await this.#findings.read();
    if (kept === undefined) return undefined;
    const digest = kept.subarray(0, digestBytes).toString("hex");
    const digests = new Map<string, string>();
    for (const [at, { path: name, file }] of files.entries()) {
      // An interrupt is heard between the slices.
      if (at % filesPerSlice === 0) await new Promise(setImmediate);
      signal.throwIfAborted();
      const bytes = bytesNow(file);
      if (bytes === undefined) return undefined;
      digests.set(name, digestOf([bytes]));
    }
    if (runDigest(files, digests) !== digest) return undefined;
    return parsed(kept.subarray(digestBytes)) as readonly SharedFile[] | undefined;
  }

  /** Facts of files as earlier runs read them, by path. */
  known(): Promise<ReadonlyMap<string, KnownFacts>> {
    return this.#facts.read();
  }

  /** Keeps what a run read and found. */
  async keep(files: readonly LintFile[], results: readonly KeptFile[]): Promise<void> {
    try {
      const wanted = new Set(files.filter((each) => each.wanted).map((each) => each.path));
      // Another machine, or another moment, may be faster.
      const certain = results.every(({ digest, failure, skip }) => digest !== null && failure === null && skip !== "too-slow");
      if (certain) {
        const digests = new Map(results.map(({ path: name, digest }) => [name, digest ?? ""]));
        const found: readonly SharedFile[] = results.filter((each) => wanted.has(each.path)).map(({ path: name, findings, skip, failure }) => ({ path: name, findings, skip, failure }));
        await this.#findings.write([Buffer.from(runDigest(files, digests), "hex"), Buffer.from(JSON.stringify(found))]);
      }
      await this.#facts.write(new Set(results.map((each) => each.path)), results.flatMap(({ path: name, digest, facts }) => (digest === null || facts === null ? [] : [{ path: name, digest, facts }])));
      await tidy(this.#folder);
    } catch {
      // Without a cache the next run takes longer, and that is all.
    }
  }
}

/** All that findings depend on: which files there are, which of them are wanted, and what is in them. */
function runDigest(files: readonly LintFile[], digests: ReadonlyMap<string, string>): string {
  return digestOf([JSON.stringify(files.map(({ path: name, wanted }) => [name, wanted, digests.get(name)]))]);
}

function parsed(json: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString("utf8"));
  } catch {
    return undefined;
  }
}
