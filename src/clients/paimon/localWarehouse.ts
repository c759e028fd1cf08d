import { constants } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import type { WarehouseReader } from "../../core/paimon/warehouse";
import { unreadableReason } from "../localFiles";

/** Reads a warehouse on this machine's disk; folders and files are paths. What is no regular file is never opened. */
export const localWarehouse: WarehouseReader = {
  async look(place) {
    const stats = await stat(place, { bigint: true }).catch(unlessMissing);
    return stats === undefined ? undefined : { isFolder: stats.isDirectory(), modifiedMs: Number(stats.mtimeMs), stamp: `${stats.mtimeNs} ${stats.size} ${stats.ino}` };
  },
  async list(folder) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(unlessMissing);
    return entries?.filter((entry) => entry.isDirectory() || entry.isFile()).map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
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
