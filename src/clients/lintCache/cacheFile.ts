import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, utimes, writeFile, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { digestOf } from "./digest";

/** What the files of all projects may take together; those that were not used for longest go first. */
const folderLimitBytes = 512 * 1024 * 1024;
/** A file of the cache that was not used for so long is removed. */
const unusedLimitMs = 60 * 24 * 3_600_000;
/** The time of a file is not set more often than this. */
const touchedMs = 12 * 3_600_000;
/** A file that is being written for so long has lost its writer. */
const abandonedMs = 3_600_000;
/** Of the content that follows, as it begins; the bytes of SHA-256. */
export const digestBytes = 32;

/** The files of the cache below a folder that the system or VS Code gives. */
export function lintFolder(folder: string): string {
  return path.join(folder, "lint");
}

/** Files that are the cache's; others in its folder are nobody's business. */
const ownName = /^[0-9a-f]{32}\.(?:findings|facts)(?:\.[0-9a-f]{16}\.tmp)?$/;

/**
 * One file of the cache. It begins with a digest of the rest and of whose it is: what is damaged, another build's, another run's or another user's is not
 * there. It is written beside its place and then renamed, so that processes may share the folder; the last one to write wins.
 */
export class CacheFile {
  readonly #path: string;
  readonly #whose: string;

  constructor(folder: string, kind: "findings" | "facts", whose: readonly string[]) {
    this.#whose = digestOf([JSON.stringify([kind, ...whose])]);
    this.#path = path.join(folder, `${this.#whose.slice(0, 32)}.${kind}`);
  }

  /** Undefined when it is not there, not this one's, another user's, or damaged. */
  async read(): Promise<Buffer<ArrayBuffer> | undefined> {
    let opened: FileHandle | undefined;
    try {
      // In a folder that is shared somebody else may have put a pipe there, which must not keep us waiting, or findings of their own.
      opened = await open(this.#path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      const stats = await opened.stat();
      if (!stats.isFile() || (process.getuid !== undefined && stats.uid !== process.getuid())) return undefined;
      const bytes = await opened.readFile() as Buffer<ArrayBuffer>;
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

  /** Rejects when it can't be written; what was there is there still. */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    const beside = `${this.#path}.${randomBytes(8).toString("hex")}.tmp`;
    try {
      await mkdir(path.dirname(this.#path), { recursive: true, mode: 0o700 });
      await writeFile(beside, [Buffer.from(digestOf([this.#whose, ...parts]), "hex"), ...parts], { mode: 0o600, flag: "wx" });
      await rename(beside, this.#path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }
}

/** Removes files of the cache that were not used for long, and what is more than all may take. Rejects when the folder can't be read. */
export async function tidy(folder: string): Promise<void> {
  const now = Date.now();
  const names = await readdir(folder);
  const entries = await Promise.all(names.map(async (name) => ({ name, stats: await stat(path.join(folder, name)).catch(() => undefined) })));
  let total = 0;
  for (const { name, stats } of entries.sort((a, b) => (b.stats?.mtimeMs ?? 0) - (a.stats?.mtimeMs ?? 0))) {
    if (stats?.isFile() !== true || !ownName.test(name)) continue;
    total += stats.size;
    if (total > folderLimitBytes || now - stats.mtimeMs > (name.endsWith(".tmp") ? abandonedMs : unusedLimitMs)) await rm(path.join(folder, name), { force: true });
  }
}
