import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { WarehouseReader } from "../../core/paimon/warehouse";
import { syncFolder } from "../atomicFile";
import { unreadableReason } from "../localFiles";

/** Reads a warehouse on this machine's disk; folders and files are paths, and links are followed. What is no regular file is never opened. */
export const localWarehouse: WarehouseReader = {
  async look(place) {
    const stats = await stat(place, { bigint: true }).catch(unlessMissing);
    return stats === undefined ? undefined : { isFolder: stats.isDirectory(), modifiedMs: Number(stats.mtimeMs), stamp: `${stats.mtimeNs} ${stats.size} ${stats.ino}` };
  },
  async list(folder) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(unlessMissing);
    if (entries === undefined) return undefined;
    const found = await Promise.all(entries.map(async (entry) => ({ name: entry.name, is: entry.isSymbolicLink() ? await stat(path.join(folder, entry.name)).catch(() => entry) : entry })));
    return found.filter(({ is }) => is.isDirectory() || is.isFile()).map(({ name, is }) => ({ name, isFolder: is.isDirectory() }));
  },
  async read(file, limitBytes, signal) {
    // A pipe that nobody writes to would keep us waiting.
    const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(unlessMissing);
    if (handle === undefined) return undefined;
    try {
      const { size, isFile } = await handle.stat().then((stat) => ({ size: stat.size, isFile: stat.isFile() }));
      if (!isFile) throw new Error("it is no file");
      if (size > limitBytes) throw new Error(`it has ${size} bytes, more than ${limitBytes}`);
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size;) {
        signal?.throwIfAborted();
        const { bytesRead } = await handle.read(bytes, at, size - at, at);
        if (bytesRead === 0) return bytes.subarray(0, at);
        at += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  },
};

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw new Error(unreadableReason(error), { cause: error });
}

/** Writes a file over what is there: flushed, then renamed, so that a reader finds the old or the new one whole. Other readers of a warehouse pass over the name in between. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  const handle = await open(draft, "wx");
  try {
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
}
