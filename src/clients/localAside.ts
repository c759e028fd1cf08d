import { constants } from "node:fs";
import { access, chmod, lstat, mkdir, rename, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { FlinkError } from "../core/errors";
import { localPath } from "../core/model/location";
import type { AsideStorage } from "../core/ports";
import { errnoOf, syncFolder } from "./atomicFile";

/** Moves folders of `file:` locations within their file system. */
export const localAside: AsideStorage = {
  async obstacle(location) {
    const folder = localPath(location);
    if (folder === undefined) return "its storage can't be reached from here";
    try {
      const found = await lstat(folder);
      // What a link leads to may lie on another file system, and Flink would delete the link only.
      if (!found.isDirectory()) return "it is no folder";
      const parent = await stat(path.dirname(folder));
      if (parent.dev !== found.dev) return "EXDEV";
      await access(path.dirname(folder), constants.W_OK | constants.X_OK);
      // A folder's own entry for its parent changes with the move; in a sticky directory only its owner may move it.
      await access(folder, constants.W_OK);
      const self = process.getuid?.();
      if ((parent.mode & 0o1000) !== 0 && self !== 0 && found.uid !== self && parent.uid !== self) return "EPERM";
      return undefined;
    } catch (error) {
      return errnoOf(error) ?? String(error);
    }
  },
  async move(from, to) {
    const [source, target] = [required(from), required(to)];
    try {
      if (!(await lstat(source)).isDirectory()) throw new FlinkError("move-failed", { from: source, to: target, reason: "it is no folder" });
      await makeBeside(path.dirname(target), path.dirname(source));
      if (await isThere(target)) throw new FlinkError("move-failed", { from: source, to: target, reason: "EEXIST" });
      await rename(source, target);
      await syncFolder(path.dirname(target));
      await syncFolder(path.dirname(source));
    } catch (error) {
      if (error instanceof FlinkError) throw error;
      throw new FlinkError("move-failed", { from: source, to: target, reason: errnoOf(error) ?? String(error) }, { cause: error });
    }
  },
  async tidy(location) {
    const folder = localPath(location);
    if (folder !== undefined) await rmdir(path.dirname(folder)).catch(() => undefined);
  },
};

/** Makes the folder that a savepoint goes into, open to the same people as the one it comes from: Flink, as another user, has to delete there. */
async function makeBeside(folder: string, like: string): Promise<void> {
  if (await isThere(folder)) return;
  try {
    await mkdir(folder);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return;
    throw error;
  }
  await chmod(folder, (await stat(like)).mode & 0o7777);
  await syncFolder(path.dirname(folder));
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

function required(location: string): string {
  const place = localPath(location);
  if (place === undefined) throw new FlinkError("metadata-elsewhere", { location });
  return place;
}
