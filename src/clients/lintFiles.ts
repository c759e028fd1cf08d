import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { FlinkError } from "../core/errors";
import { isSkippedFolder } from "../core/lint/paths";
import { openRegularFile, unreadableReason } from "./localFiles";

/** A larger file is not read. */
const sizeLimitBytes = 32 * 1024 * 1024;

/** What was found at a path: the files to look at, absolute and sorted, and what could not be read. */
export interface Found {
  readonly files: readonly string[];
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

/** The files at a path that `wanted` takes: the file itself whatever it is called, or everything in the folder but what tools make. Links are followed once. */
export async function findFiles(root: string, wanted: (path: string) => boolean): Promise<Found> {
  const files: string[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  const seen = new Set<string>();
  const visit = async (folder: string): Promise<void> => {
    const real = await realpath(folder);
    if (seen.has(real)) return;
    seen.add(real);
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const full = path.join(folder, entry.name);
      try {
        const kind = entry.isSymbolicLink() ? await stat(full) : entry;
        if (kind.isDirectory()) {
          if (!isSkippedFolder(entry.name)) await visit(full);
        } else if (kind.isFile() && wanted(full)) files.push(full);
      } catch (error) {
        unreadable.push({ path: full, reason: unreadableReason(error) });
      }
    }
  };
  try {
    if ((await stat(root)).isDirectory()) await visit(root);
    else files.push(root);
  } catch (error) {
    unreadable.push({ path: root, reason: unreadableReason(error) });
  }
  return { files: files.sort(), unreadable };
}

/** The folder of the project a path belongs to: the outermost one around it with a build file, within a few levels and below a repository's own. Undefined when there is none. */
export async function projectOf(from: string, isBuild: (path: string) => boolean): Promise<string | undefined> {
  let found: string | undefined;
  for (let folder = from, level = 0; level < 12; folder = path.dirname(folder), level++) {
    const entries: readonly string[] = await readdir(folder).catch(() => []);
    if (entries.some((name) => isBuild(path.join(folder, name)))) found = folder;
    if (entries.includes(".git") || path.dirname(folder) === folder) break;
  }
  return found;
}

/** The text of a file. Throws `file-unreadable`, also for one that is too large. */
export async function readText(file: string): Promise<string> {
  return textOf(await readBytes(file));
}

/** The text of a file's bytes: UTF-8, UTF-16 by its mark, else Latin-1, in which every file is a text. */
export function textOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

/** The bytes of a file. Throws `file-unreadable`, also for one that is too large. */
export async function readBytes(file: string): Promise<Uint8Array> {
  const opened = await openRegularFile(file);
  try {
    if (opened.sizeBytes > sizeLimitBytes) throw new FlinkError("file-unreadable", { path: file, reason: `it has ${opened.sizeBytes} bytes; at most ${sizeLimitBytes} are read` });
    return await opened.read(0, opened.sizeBytes);
  } finally {
    await opened.close();
  }
}

/** The bytes of a file at once: thousands are read in a row, and waiting for each by itself takes longer than reading. Undefined when it can't be; `readBytes` says why. */
export function bytesNow(file: string): Uint8Array | undefined {
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
