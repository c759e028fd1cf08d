import { readdir } from "node:fs/promises";
import path from "node:path";
import { unreadableReason } from "../clients/localFiles";
import { FlinkError } from "../core/errors";
import { localPath } from "../core/model/location";

/** The path that an argument names: a path, or a `file:` address. Throws `file-unreadable` for what is empty or on another storage. */
export function pathArgument(place: string, workingFolder: string): string {
  if (place === "") throw new FlinkError("file-unreadable", { path: "“”", reason: "it names no file or folder" });
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:\//.test(place)) return path.resolve(workingFolder, place);
  const local = localPath(place);
  if (local === undefined) throw new FlinkError("file-unreadable", { path: place, reason: "this storage can't be reached from here; copy it to this machine" });
  return local;
}

/** The folder of a warehouse that an argument names, which is there and can be listed. Throws `file-unreadable`. */
export async function warehouseArgument(place: string, workingFolder: string): Promise<string> {
  const warehouse = pathArgument(place, workingFolder);
  await readdir(warehouse).catch((error: unknown) => {
    throw new FlinkError("file-unreadable", { path: warehouse, reason: unreadableReason(error) }, { cause: error });
  });
  return warehouse;
}
