import { localPath } from "../core/model/location";
import type { OpenMetadata } from "../core/ports";
import { metadataFileAt, openRegularFile } from "./localFiles";

/**
 * Opens the `_metadata` of a `file:` location, a savepoint's folder or the file itself (C-22), for reading by range. Undefined when it is on
 * another storage, or is not there.
 */
export const openLocalMetadata: OpenMetadata = async (location) => {
  const place = localPath(location);
  if (place === undefined) return undefined;
  try {
    return await openRegularFile(await metadataFileAt(place));
  } catch {
    return undefined;
  }
};
