import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { metadataFileAt, openRegularFile, unreadableReason } from "../clients/localFiles";
import { FlinkError } from "../core/errors";
import type { BoardSavepoint } from "../core/paimon/board";
import { UsageError, type Terminal } from "./command";

/** Folders within folders that are looked through for savepoints. */
const deepest = 16;

/** `--savepoints A B` takes every word up to the next option. */
export function withoutFolders(args: readonly string[]): { before: string[]; folders: string[] } {
  const before: string[] = [];
  const folders: string[] = [];
  let taking = false;
  for (const arg of args) {
    if (arg === "--savepoints") taking = true;
    else if (arg.startsWith("--savepoints=")) folders.push(arg.slice("--savepoints=".length));
    else if (arg.startsWith("--")) {
      taking = false;
      before.push(arg);
    } else (taking ? folders : before).push(arg);
  }
  if (args.includes("--savepoints") && folders.length === 0) throw new UsageError("--savepoints takes a folder.");
  return { before, folders };
}

/**
 * The savepoints in some folders: the folders themselves, their `_metadata`, or what lies in them, also behind links; each once, whichever path leads to it first.
 * What can't be read within a folder is a problem. Throws `file-unreadable` for a folder itself.
 */
export async function* savepointsIn(folders: readonly string[], problems: string[], terminal: Terminal): AsyncGenerator<BoardSavepoint> {
  const seen = new Set<string>();
  for (const folder of folders) {
    for await (const found of foldersWithMetadata(path.basename(folder) === "_metadata" ? path.dirname(folder) : folder, 0, seen, problems)) {
      terminal.signal.throwIfAborted();
      try {
        const file = await metadataFileAt(found);
        const { mtimeMs } = await stat(file);
        const metadata = await openRegularFile(file);
        try {
          yield { path: found, metadata, completedMs: mtimeMs };
        } finally {
          await metadata.close();
        }
      } catch (error) {
        terminal.signal.throwIfAborted();
        if (!(error instanceof FlinkError)) throw error;
        problems.push(`${found} can't be read: ${(error.facts as { reason?: string }).reason ?? error.code}.`);
      }
    }
  }
}

async function* foldersWithMetadata(folder: string, depth: number, seen: Set<string>, problems: string[]): AsyncGenerator<string> {
  let entries;
  try {
    // A link may lead back to a folder above it.
    const real = await realpath(folder);
    if (seen.has(real)) return;
    seen.add(real);
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const reason = unreadableReason(error);
    if (depth === 0) throw new FlinkError("file-unreadable", { path: folder, reason }, { cause: error });
    return void problems.push(`${folder} can't be read: ${reason}.`);
  }
  if (entries.some(({ name }) => name === "_metadata")) return yield folder;
  if (depth >= deepest) return;
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = path.join(folder, entry.name);
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await stat(inside).then((stats) => stats.isDirectory(), () => false)));
    if (isFolder) yield* foldersWithMetadata(inside, depth + 1, seen, problems);
  }
}
