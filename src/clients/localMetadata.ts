import { open, stat } from "node:fs/promises";
import path from "node:path";
import type { OpenFile, OpenMetadata } from "../core/ports";
import type { RandomAccess } from "../core/metadata/randomAccess";
import { localPath } from "../core/model/location";

/**
 * Opens the `_metadata` of a `file:` location, a savepoint's folder or the file itself (C-22), for reading by range. Undefined when it is on
 * another storage, or is not there.
 */
export const openLocalMetadata: OpenMetadata = async (location) => {
  const place = localPath(location);
  if (place === undefined) return undefined;
  try {
    return await openRandomAccess((await stat(place)).isDirectory() ? path.join(place, "_metadata") : place);
  } catch {
    return undefined;
  }
};

/** Opens a `file:` location for reading by range; undefined when it is on another storage, or is not there. Rejects with the system's error when it can't be read. */
export const openLocalFile: OpenFile = async (location) => {
  const place = localPath(location);
  if (place === undefined) return undefined;
  return openRandomAccess(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
};

async function openRandomAccess(file: string): Promise<RandomAccess & { close(): Promise<void> }> {
  const handle = await open(file, "r");
  try {
    const { size: sizeBytes } = await handle.stat();
    return {
      sizeBytes,
      async read(offset, length, signal) {
        signal?.throwIfAborted();
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length;) {
          const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
          if (bytesRead === 0) throw new Error(`the file ends at ${offset + at}, before ${offset + length}`);
          at += bytesRead;
        }
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
