import { constants, type Stats } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { FlinkError, isFlinkError } from "../core/errors";
import { leadsOut } from "../core/metadata/filePlace";
import type { RandomAccess } from "../core/metadata/randomAccess";
import { localPath } from "../core/model/location";
import type { OpenFile } from "../core/ports";
import { errnoOf } from "./atomicFile";

/** A file that is open for reading by range. */
export type OpenedFile = RandomAccess & { close(): Promise<void> };

/**
 * Opens a regular file. Anything else, such as a pipe that nobody writes to, is refused before it could keep us waiting. Throws
 * `file-unreadable`, with the system's code or words of ours as reason; so do the reads.
 */
export async function openRegularFile(file: string): Promise<OpenedFile> {
  refuseUnlessRegular(file, await statOf(file));
  // What was put in its place meanwhile must not keep us waiting either.
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error: unknown) => unreadable(file, error));
  try {
    const stats = await handle.stat();
    refuseUnlessRegular(file, stats);
    return {
      sizeBytes: stats.size,
      async read(offset, length, signal, room) {
        signal?.throwIfAborted();
        const bytes = room !== undefined && room.length >= length ? room.subarray(0, length) : new Uint8Array(length);
        for (let at = 0; at < length;) {
          const { bytesRead } = await handle.read(bytes, at, length - at, offset + at).catch((error: unknown) => unreadable(file, error));
          if (bytesRead === 0) throw new FlinkError("file-unreadable", { path: file, reason: "it became shorter while it was read" });
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

/** The `_metadata` of a snapshot's folder, or the file itself (C-22): Flink takes any file as the metadata, whatever its name. Throws `file-unreadable`. */
export async function metadataFileAt(place: string): Promise<string> {
  if (!(await statOf(place)).isDirectory()) return place;
  const file = path.join(place, "_metadata");
  const found = await stat(file).catch((error: unknown) => (errnoOf(error) === "ENOENT" ? undefined : unreadable(file, error)));
  if (found === undefined) throw new FlinkError("file-unreadable", { path: place, reason: "there is no _metadata in this folder" });
  return file;
}

/** Opens a file of a `file:` location; undefined when it is not there, or on another storage. Throws `file-unreadable`, also for one that links lead out of `within`. */
export const openLocalFile: OpenFile = async (location, within) => {
  const file = localPath(location);
  const folder = localPath(within);
  if (file === undefined || folder === undefined) return undefined;
  try {
    const [real, realFolder] = await Promise.all([file, folder].map((place) => realpath(place).catch((error: unknown) => unreadable(place, error))));
    if (real === undefined || realFolder === undefined || leadsOut(path.relative(realFolder, real))) throw new FlinkError("file-unreadable", { path: file, reason: "a link leads out of the savepoint, and is not followed" });
    return await openRegularFile(real);
  } catch (error) {
    if (error instanceof FlinkError && ["ENOENT", "ENOTDIR"].includes(errnoOf(error.cause) ?? "")) return undefined;
    throw error;
  }
};

function refuseUnlessRegular(file: string, stats: Stats): void {
  if (stats.isFile()) return;
  throw new FlinkError("file-unreadable", { path: file, reason: stats.isDirectory() ? "it is a folder" : "it is not a regular file" });
}

function statOf(file: string): Promise<Stats> {
  return stat(file).catch((error: unknown) => unreadable(file, error));
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file", ENOTDIR: "there is no such file", EACCES: "permission denied", EPERM: "permission denied", ELOOP: "its links go in a circle", ENAMETOOLONG: "its name is too long", EISDIR: "it is a folder",
  ERR_INVALID_ARG_VALUE: "no file can have this name",
};

function unreadable(file: string, cause: unknown): never {
  throw new FlinkError("file-unreadable", { path: file, reason: unreadableReason(cause) }, { cause });
}

/** Why the system, or `file-unreadable`, refused a file or a folder: words for the common codes, else the code. */
export function unreadableReason(error: unknown): string {
  if (isFlinkError(error, "file-unreadable")) return error.facts.reason;
  const code = errnoOf(error) ?? "";
  return reasons[code] ?? (code !== "" ? code : error instanceof Error ? error.message : String(error));
}
