import { chmod, lstat, mkdir, open, readdir, realpath, rmdir, stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { stableId } from "../core/base/murmur3";
import { pinPlace } from "../core/cleanup/pinPlace";
import { localPath } from "../core/model/location";
import type { PinMarks } from "../core/ports";
import { errnoOf, syncFolder } from "./atomicFile";

/**
 * Marks beside savepoints of `file:` locations, put there for one ledger; the marks of all others are seen and left alone. A mark lies beside the folder
 * itself, not beside a link to it: who looks has to ask at the place with links followed, too.
 */
export function localPins(ledgerFolder: string): PinMarks {
  const owner = stableId(`${hostname()}\n${path.resolve(ledgerFolder)}`).slice(0, 12);
  const at = async (location: string): Promise<readonly string[]> => {
    const place = localPath(pinPlace(location));
    if (place === undefined) return [];
    const folder = path.dirname(place);
    try {
      const names = await readdir(folder);
      return names.filter((name) => name.startsWith(`${path.basename(place)}.`)).sort().map((name) => path.join(folder, name));
    } catch {
      // What can't be looked into may hold one, also what is no folder, or a link to none: somebody's marks may have been there.
      return (await isNothing(folder)) ? [] : [folder];
    }
  };
  return {
    at,
    async others(location) {
      return (await at(location)).filter((file) => path.basename(file) !== `${path.basename(required(pinPlace(location)))}.${owner}`);
    },
    async put(location) {
      const savepoint = localPath(location);
      const real = savepoint && (await realpath(savepoint).catch(() => undefined));
      if (real === undefined) return { marked: false, reason: "elsewhere" };
      const place = required(pinPlace(real));
      try {
        await makeBeside(path.dirname(place));
        // Only made new: through a link that somebody else put there another file would be emptied, and a pipe would keep us waiting.
        const mark = await open(`${place}.${owner}`, "wx", 0o644).catch((error: unknown) => {
          if (errnoOf(error) !== "EEXIST") throw error;
        });
        // Whatever has the name is a mark.
        if (mark === undefined) return { marked: true };
        try {
          await mark.writeFile(`${JSON.stringify({ pinned: new Date().toISOString(), host: hostname(), ledger: path.resolve(ledgerFolder) })}\n`);
          await mark.sync();
        } finally {
          await mark.close();
        }
        await syncFolder(path.dirname(place));
        return { marked: true };
      } catch (error) {
        return { marked: false, reason: errnoOf(error) ?? String(error) };
      }
    },
    async remove(location) {
      const savepoint = localPath(location);
      if (savepoint === undefined) return;
      const place = required(pinPlace(await realpath(savepoint).catch(() => savepoint)));
      await unlink(`${place}.${owner}`).catch((error: unknown) => {
        if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
      });
      await rmdir(path.dirname(place)).catch(() => undefined);
    },
  };
}

async function isNothing(place: string): Promise<boolean> {
  return lstat(place).then(() => false, (error: unknown) => errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR");
}

function required(location: string): string {
  return localPath(location) ?? location;
}

/** Open to the same people as the folder of the savepoints: whoever may put one there may pin it. */
async function makeBeside(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return;
    throw error;
  }
  await chmod(folder, (await stat(path.dirname(folder))).mode & 0o7777);
  await syncFolder(path.dirname(folder));
}
