/**
 * A savepoint location in one spelling, so that two mentions of the same place compare equal: `file:/x`, `file:///x` and `/x` are
 * `file:/x`; trailing slashes and a trailing `/_metadata` go (Flink takes the directory and its `_metadata` alike, C-22).
 */
export function normaliseLocation(location: string): string {
  const text = location.trim().replace(/\/+$/, "").replace(/\/_metadata$/, "");
  if (/^\//.test(text)) return `file:${text}`;
  return text.replace(/^file:\/*/, "file:/");
}

/** The local path of a `file:` location (or of an absolute path), undefined for every other storage. */
export function localPath(location: string): string | undefined {
  const text = normaliseLocation(location);
  if (!text.startsWith("file:/")) return undefined;
  try {
    return decodeURIComponent(text.slice("file:".length));
  } catch {
    return text.slice("file:".length);
  }
}

/** Why a text cannot be a location that is sent to Flink, or undefined when it can. */
export type LocationFault = "empty" | "relative" | "unreadable";

/**
 * Checks a target directory or savepoint path before it is sent. Flink takes a blank or relative one below the JobManager's working
 * directory, and an empty `savepointPath` starts without state; neither may ever leave here (flink-api §5, §6).
 */
export function locationFault(location: string): LocationFault | undefined {
  if (location.trim() === "") return "empty";
  if (/[\u0000-\u001f\u007f]/.test(location)) return "unreadable";
  const text = location.trim();
  if (/^\/(?!$)/.test(text)) return undefined;
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:\/*[^/]/.test(text) && !/^[a-zA-Z]:\\/.test(text) && (!/^file:/i.test(text) || /^file:\//i.test(text)) ? undefined : "relative";
}

/** The folder name of a savepoint: `savepoint-<first six of the job id>-<random>` (C-15). */
export function folderName(location: string): string {
  return normaliseLocation(location).split("/").at(-1) ?? location;
}

/** The directory a savepoint lies in: what Flink was given as target. */
export function parentLocation(location: string): string {
  return normaliseLocation(location).replace(/\/[^/]*$/, "");
}

/** The six hex digits of the job in a savepoint's folder name, or undefined when the name is not Flink's (C-15). */
export function shortJobId(location: string): string | undefined {
  return /^savepoint-([0-9a-f]{6})-[0-9a-f]+$/.exec(folderName(location))?.[1];
}
