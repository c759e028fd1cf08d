import { folderName, parentLocation } from "../model/location";

/**
 * The folder, beside the savepoints of a directory, that holds the marks of pinned ones. Not within a savepoint's own folder: Flink deletes that without
 * what is strange in it, and calls the disposal failed (`FsCompletedCheckpointStorageLocation.disposeStorageLocation`).
 */
export const pinFolder = ".pinned-by-flink-savepoints";

/** Where the marks of a savepoint begin: each of those that pinned it, a ledger, adds a dot and its own name. */
export function pinPlace(location: string): string {
  return `${parentLocation(location)}/${pinFolder}/${folderName(location)}`;
}
