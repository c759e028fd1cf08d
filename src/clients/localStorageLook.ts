import type { Dirent, Stats } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { mapLimit } from "../core/base/async";
import { localPath } from "../core/model/location";
import type { FoundFolder, ListedFolders, StorageLook } from "../core/ports";
import { errnoOf } from "./atomicFile";

type Sight = "metadata" | "partly" | "missing" | "unreachable";

/** A hanging network mount must not hang us. */
const lookTimeoutMs = 10_000;
/** Entries looked at within one savepoint; a larger one is reported with the size seen so far. */
const maxEntries = 20_000;
const maxDepth = 8;
const looksAtOnce = 8;

/**
 * Looks at `file:` locations and absolute paths on this machine; every other storage is `unreachable`. Whether this machine sees the same
 * files as the JobManager is for the caller to know.
 */
export const localStorageLook: StorageLook = {
  savepoint: async (location, listed = new Map()) => {
    const folder = localPath(location);
    return folder === undefined ? "unreachable" : within(lookAt(folder, listed), "unreachable");
  },
  list: async (directory) => {
    const folder = localPath(directory);
    return folder === undefined ? undefined : within(listIn(folder, directory.trim().replace(/\/+$/, "")), undefined);
  },
  real: async (location) => {
    const folder = localPath(location);
    return folder === undefined ? location : within(followed(folder).then((real) => `file:${real}`), location);
  },
};

/** The path without links. Of a folder that is gone, or was moved aside, what remains of its path is followed. */
async function followed(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    const parent = path.dirname(folder);
    return errnoOf(error) === "ENOENT" && parent !== folder ? path.join(await followed(parent), path.basename(folder)) : folder;
  }
}

async function lookAt(folder: string, listed: ListedFolders): Promise<Sight> {
  try {
    const itself = await statOrGone(folder);
    // Flink takes a file as the metadata itself, whatever its name (`AbstractFsCheckpointStorageAccess.resolveCheckpointPointer`).
    if (itself?.isFile()) return itself.size > 0 ? "metadata" : "partly";
    if (itself?.isDirectory()) {
      const metadata = await statOrGone(path.join(folder, "_metadata"));
      if (metadata?.isFile() && metadata.size > 0) return "metadata";
      return (await measure(folder)).files > 0 ? "partly" : "missing";
    }
    if (itself !== undefined) return "unreachable";
    // A storage that is not mounted must not look like a savepoint that is gone: its parent has to be there, and to show what it holds.
    const parent = path.dirname(folder);
    const names = listed.get(parent) ?? readdir(parent).then((found) => new Set(found));
    listed.set(parent, names);
    return (await names).has(path.basename(folder)) ? "unreachable" : "missing";
  } catch {
    return "unreachable";
  }
}

async function listIn(folder: string, location: string): Promise<readonly FoundFolder[] | undefined> {
  let entries: readonly Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch {
    return undefined;
  }
  // A link is no directory here, so nothing outside is ever followed.
  const names = entries.filter((entry) => entry.isDirectory() && /^savepoint-[0-9a-f]{6}-[0-9a-f]{12}$/.test(entry.name)).map((entry) => entry.name);
  const found = await mapLimit(names, looksAtOnce, (name) => describe(path.join(folder, name), `${location}/${name}`));
  return found.filter((one) => one !== undefined);
}

/** Undefined when it vanished, or cannot be read. */
async function describe(folder: string, location: string): Promise<FoundFolder | undefined> {
  try {
    const metadata = await lstatOrGone(path.join(folder, "_metadata"));
    const hasMetadata = metadata?.isFile() === true && metadata.size > 0;
    const { sizeBytes } = await measure(folder);
    return { location, hasMetadata, modifiedAtMs: Math.round((hasMetadata ? metadata : await stat(folder)).mtimeMs), sizeBytes };
  } catch {
    return undefined;
  }
}

/** Files and their bytes below a folder, links not followed, up to the limits above. */
async function measure(folder: string): Promise<{ readonly files: number; readonly sizeBytes: number }> {
  let [entriesLeft, files, sizeBytes] = [maxEntries, 0, 0];
  const visit = async (below: string, depth: number): Promise<void> => {
    const entries = (await readdir(below, { withFileTypes: true })).slice(0, entriesLeft);
    entriesLeft -= entries.length;
    files += entries.filter((entry) => !entry.isDirectory()).length;
    const plain = entries.filter((entry) => entry.isFile());
    const sizes = await mapLimit(plain, looksAtOnce, async (entry) => (await lstatOrGone(path.join(below, entry.name)))?.size ?? 0);
    sizeBytes += sizes.reduce((sum, size) => sum + size, 0);
    if (depth >= maxDepth) return;
    for (const entry of entries.filter((one) => one.isDirectory())) await visit(path.join(below, entry.name), depth + 1);
  };
  await visit(folder, 0);
  return { files, sizeBytes };
}

/** Only "there is no such name" counts as gone; everything else is not knowing, and rejects. */
async function statOrGone(file: string): Promise<Stats | undefined> {
  return stat(file).catch(undefinedIfGone);
}

async function lstatOrGone(file: string): Promise<Stats | undefined> {
  return lstat(file).catch(undefinedIfGone);
}

function undefinedIfGone(error: unknown): undefined {
  if (errnoOf(error) !== "ENOENT") throw error;
}

async function within<T>(work: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, lookTimeoutMs, otherwise);
    timer.unref();
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
