import { folderName, parentLocation } from "../model/location";

/** The folder, beside the savepoints of a directory, that cleanup moves them into. Its name says what it is to whoever finds it. */
export const asideFolder = ".removed-by-flink-savepoints";

/** Where a savepoint's folder is moved to: on the same file system, under its own name. */
export function asidePlace(path: string): string {
  return `${parentLocation(path)}/${asideFolder}/${folderName(path)}`;
}
