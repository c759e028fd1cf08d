import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, utimes, writeFile, type FileHandle } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import type { KeptFile, KnownFacts, LintFile, SharedFile } from "../../core/lint/shareProtocol";
import { digestOf } from "./digest";

/** What the files of all projects may take together; those that were not used for longest go first. */
const folderLimitBytes = 512 * 1024 * 1024;
/** What the facts of one project may take; facts beyond it are not kept. */
const factsLimitBytes = 128 * 1024 * 1024;
/** A file of the cache that was not used for so long is removed. */
const unusedLimitMs = 60 * 24 * 3_600_000;
/** The time of a file is not set more often than this. */
const touchedMs = 12 * 3_600_000;
/** A file that is being written for so long has lost its writer. */
const abandonedMs = 3_600_000;
/** Runs of the same folder that facts of a file outlast without being asked for, as when other folders are linted in turn. */
const idleRuns = 20;
const digestBytes = 32;
const filesPerSlice = 64;
/** As `readBytes`: such a file is not read. */
const sizeLimitBytes = 32 * 1024 * 1024;

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
 * was, to the byte; and the facts of each file, from which they are made when some other has changed. A file of the cache begins with the digest of the
 * rest and of whose it is: what is damaged, of another build, another run's or another user's is not there. Each is written beside its place and then renamed, so
 * that processes may share the folder; the last one to write wins. Nothing here throws: a cache that can't be read or written is none.
 */
export class LintCache {
  readonly #folder: string;
  readonly #findings: CacheFile;
  readonly #facts: CacheFile;
  #known: ReadonlyMap<string, KeptFacts> | undefined;

  constructor(folder: string, { workingFolder, roots, build }: LintRun) {
    this.#folder = path.join(folder, "lint");
    // Node, too: how it compares texts follows its version.
    const whose = [build, process.version, process.arch, workingFolder];
    this.#findings = new CacheFile(this.#folder, "findings", [...whose, ...roots]);
    this.#facts = new CacheFile(this.#folder, "facts", whose);
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
  async known(): Promise<ReadonlyMap<string, KnownFacts>> {
    const bytes = await this.#facts.read();
    try {
      this.#known = bytes === undefined ? undefined : factsIn(bytes);
    } catch {
      this.#known = undefined;
    }
    return this.#known ?? new Map<string, KnownFacts>();
  }

  /** Keeps what a run read and found. */
  async keep(files: readonly LintFile[], results: readonly KeptFile[]): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const wanted = new Set(files.filter((each) => each.wanted).map((each) => each.path));
      // Another machine, or another moment, may be faster.
      const certain = results.every(({ digest, failure, skip }) => digest !== null && failure === null && skip !== "too-slow");
      if (certain) {
        const digests = new Map(results.map(({ path: name, digest }) => [name, digest ?? ""]));
        const found: readonly SharedFile[] = results.filter((each) => wanted.has(each.path)).map(({ path: name, findings, skip, failure }) => ({ path: name, findings, skip, failure }));
        await this.#findings.write([Buffer.from(runDigest(files, digests), "hex"), Buffer.from(JSON.stringify(found))]);
      }
      const before = this.#known ?? new Map<string, KeptFacts>();
      if (results.some(({ path: name, digest, facts }) => facts !== null && before.get(name)?.digest !== digest)) await this.#facts.write(bytesOf(before, results));
      await this.#tidy();
    } catch {
      // Without a cache the next run takes longer, and that is all.
    }
  }

  async #tidy(): Promise<void> {
    const now = Date.now();
    const names = await readdir(this.#folder);
    const entries = await Promise.all(names.map(async (name) => ({ name, stats: await stat(path.join(this.#folder, name)).catch(() => undefined) })));
    let total = 0;
    for (const { name, stats } of entries.sort((a, b) => (b.stats?.mtimeMs ?? 0) - (a.stats?.mtimeMs ?? 0))) {
      if (stats?.isFile() !== true || !ownName.test(name)) continue;
      total += stats.size;
      if (total > folderLimitBytes || now - stats.mtimeMs > (name.endsWith(".tmp") ? abandonedMs : unusedLimitMs)) await rm(path.join(this.#folder, name), { force: true });
    }
  }
}

/** Files that are the cache's; others in its folder are nobody's business. */
const ownName = /^[0-9a-f]{32}\.(?:findings|facts)(?:\.[0-9a-f]{16}\.tmp)?$/;

/** One file of the cache. Its content begins with a digest of the rest and of whose it is. */
class CacheFile {
  readonly #path: string;
  readonly #whose: string;

  constructor(folder: string, kind: "findings" | "facts", whose: readonly string[]) {
    this.#whose = digestOf([JSON.stringify([kind, ...whose])]);
    this.#path = path.join(folder, `${this.#whose.slice(0, 32)}.${kind}`);
  }

  /** Undefined when it is not there, not this one's, another user's, or damaged. */
  async read(): Promise<Buffer | undefined> {
    let opened: FileHandle | undefined;
    try {
      // In a folder that is shared somebody else may have put a pipe there, which must not keep us waiting, or findings of their own.
      opened = await open(this.#path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      const stats = await opened.stat();
      if (!stats.isFile() || (process.getuid !== undefined && stats.uid !== process.getuid())) return undefined;
      const bytes = await opened.readFile();
      const content = bytes.subarray(digestBytes);
      if (digestOf([this.#whose, content]) !== bytes.subarray(0, digestBytes).toString("hex")) return undefined;
      if (Date.now() - stats.mtimeMs > touchedMs) await utimes(this.#path, new Date(), new Date());
      return content;
    } catch {
      return undefined;
    } finally {
      await opened?.close();
    }
  }

  async write(parts: readonly Uint8Array[]): Promise<void> {
    const beside = `${this.#path}.${randomBytes(8).toString("hex")}.tmp`;
    try {
      await writeFile(beside, [Buffer.from(digestOf([this.#whose, ...parts]), "hex"), ...parts], { mode: 0o600, flag: "wx" });
      await rename(beside, this.#path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }
}

/** All that findings depend on: which files there are, which of them are wanted, and what is in them. */
function runDigest(files: readonly LintFile[], digests: ReadonlyMap<string, string>): string {
  return digestOf([JSON.stringify(files.map(({ path: name, wanted }) => [name, wanted, digests.get(name)]))]);
}

/** Facts in the cache, with how many runs did not ask for them. */
interface KeptFacts extends KnownFacts {
  readonly idle: number;
}

/** A length of four bytes, that of a list of `[path, digest, length, idle]` as JSON; the list; then the facts in its order. */
function bytesOf(before: ReadonlyMap<string, KeptFacts>, results: readonly KeptFile[]): readonly Uint8Array[] {
  const now = new Set(results.map((each) => each.path));
  const all = [
    ...results.flatMap(({ path: name, digest, facts }) => (digest === null || facts === null ? [] : [{ name, digest, facts, idle: 0 }])),
    ...[...before].flatMap(([name, { digest, facts, idle }]) => (now.has(name) || idle >= idleRuns ? [] : [{ name, digest, facts, idle: idle + 1 }])),
  ];
  let total = 0;
  const fits = all.filter(({ facts }) => (total += facts.length) <= factsLimitBytes);
  const list = Buffer.from(JSON.stringify(fits.map(({ name, digest, facts, idle }) => [name, digest, facts.length, idle])));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(list.length);
  return [length, list, ...fits.map(({ facts }) => facts)];
}

/** Undefined, or an error, for what is nothing of the kind. */
function factsIn(bytes: Buffer): ReadonlyMap<string, KeptFacts> | undefined {
  let at = 4 + bytes.readUInt32LE(0);
  const list = parsed(bytes.subarray(4, at));
  if (!Array.isArray(list)) return undefined;
  const found = new Map<string, KeptFacts>();
  for (const [name, digest, length, idle] of list as readonly [string, string, number, number][]) {
    // A copy of its own, since a message to a thread takes the whole of what lies behind a part.
    found.set(name, { digest, facts: new Uint8Array(bytes.subarray(at, at + length)), idle });
    at += length;
  }
  return at === bytes.length ? found : undefined;
}

function parsed(json: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The bytes of a file at once: thousands are read in a row, and waiting for each by itself takes longer than reading. Undefined when it can't be. */
function bytesNow(file: string): Uint8Array | undefined {
  let opened: number | undefined;
  try {
    opened = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = fstatSync(opened);
    if (!stats.isFile() || stats.size > sizeLimitBytes) return undefined;
    const bytes = Buffer.allocUnsafe(stats.size);
    let read = 0;
    while (read < bytes.length) {
      const more = readSync(opened, bytes, read, bytes.length - read, read);
      if (more === 0) return undefined;
      read += more;
    }
    return bytes;
  } catch {
    return undefined;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}
