import { FlinkError } from "../errors";

/**
 * A savepoint location in one spelling, so that two mentions of the same place compare equal: `file:/x`, `file:///x` and `/x` are
 * `file:/x`; doubled and trailing slashes, `.`, `..` and a trailing `/_metadata` go (`org.apache.flink.core.fs.Path`; Flink takes the directory and
 * its `_metadata` alike, C-22). What is neither a path nor a URI stays as it is.
 */
export function normaliseLocation(location: string): string {
  const parts = partsOf(location);
  if (parts === undefined) return location.trim();
  return parts.authority === "" ? `${parts.scheme ?? "file"}:${parts.path}` : `${parts.scheme ?? "file"}://${parts.authority}${parts.path === "/" ? "" : parts.path}`;
}

/**
 * A key for comparing places, never a location: as `normaliseLocation`, and the names under which Flink's S3 file systems are asked for (`s3`, `s3a`,
 * `s3n`, `s3p`) count as one, since they reach the same bucket (`S3AFileSystemFactory`, `S3PFileSystemFactory`).
 */
export function placeKey(location: string): string {
  const place = normaliseLocation(location);
  const scheme = place.slice(0, place.indexOf(":"));
  return storageOf(scheme) + place.slice(scheme.length);
}

/**
 * The local path of a `file:` location (or of an absolute path), undefined for every other storage and for another machine's. Percent signs
 * stand for themselves: `org.apache.flink.core.fs.Path` neither encodes nor decodes.
 */
export function localPath(location: string): string | undefined {
  const parts = partsOf(location);
  if (parts === undefined || (parts.scheme ?? "file") !== "file" || parts.authority !== "") return undefined;
  return parts.path;
}

/** Why a text cannot be a location that is sent to Flink, or undefined when it can. */
export type LocationFault = "empty" | "relative" | "unreadable";

/**
 * Checks a target directory or savepoint path before it is sent. Flink takes a blank or relative one below the JobManager's working
 * directory, an empty `savepointPath` starts without state, a drive letter becomes a folder of that name on Linux, and `//a/b` loses its
 * `a`; none of these may ever leave here.
 */
export function locationFault(location: string): LocationFault | undefined {
  const text = location.trim();
  if (text === "") return "empty";
  if (/[\u0000-\u001f\u007f]/.test(location)) return "unreadable";
  return /^\/[^/]/.test(text) || /^[a-z][a-z0-9+.-]+:\/+[^/]/i.test(text) ? undefined : "relative";
}

/** Lets through what may be sent to Flink; absent means the cluster's own directory, or a start without state. Throws `location-invalid`. */
export function requireLocation(location: string | undefined): void {
  const fault = location === undefined ? undefined : locationFault(location);
  if (fault !== undefined) throw new FlinkError("location-invalid", { location: location ?? "", fault });
}

/** The folder name of a savepoint: `savepoint-<first six of the job id>-<random>` (C-15). */
export function folderName(location: string): string {
  return normaliseLocation(location).split("/").at(-1) ?? location;
}

/** The directory a savepoint lies in: what Flink was given as target. */
export function parentLocation(location: string): string {
  return normaliseLocation(location).replace(/\/[^/]*$/, "").replace(/:$/, ":/");
}

/**
 * True when a savepoint lies in the directory that Flink was given for it. Flink names the storage and its host where the directory leaves
 * them out (`FileSystem.makeQualified`), and takes the marker of entropy injection out of the path (C-17).
 */
export function liesIn(directory: string, location: string): boolean {
  const want = partsOf(directory.replace(/\/_entropy_(?=\/|$)/, ""));
  const have = partsOf(parentLocation(location));
  if (want === undefined || have === undefined || want.path !== have.path) return false;
  return want.scheme === undefined || (storageOf(want.scheme) === storageOf(have.scheme ?? "file") && (want.authority === "" || want.authority === have.authority));
}

/** The six hex digits of the job in a savepoint's folder name, or undefined when the name is not Flink's (C-15). */
export function shortJobId(location: string): string | undefined {
  return /^savepoint-([0-9a-f]{6})-[0-9a-f]+$/.exec(folderName(location))?.[1];
}

/** The id of the job whose checkpoint lies there (`<id>/chk-<number>`), or undefined when it is none. Flink deletes most of them with their job. */
export function checkpointOwner(location: string): string | undefined {
  return /\/([0-9a-f]{32})\/chk-\d+$/.exec(normaliseLocation(location))?.[1];
}

/** The storage that a scheme reaches: S3 has four. */
function storageOf(scheme: string): string {
  return /^s3[anp]$/.test(scheme) ? "s3" : scheme;
}

interface LocationParts {
  /** Lower-case; undefined for a plain path, which belongs to the cluster's default storage. */
  readonly scheme: string | undefined;
  /** Host, bucket or container; empty when none is named. */
  readonly authority: string;
  /** Absolute, without `.` and `..`, slashes single, none at the end. */
  readonly path: string;
}

/** Undefined for what is neither an absolute path nor a URI. A single letter before a colon is a drive, no scheme. */
function partsOf(location: string): LocationParts | undefined {
  const text = location.trim();
  const scheme = /^([a-z][a-z0-9+.-]+):(?=\/)/i.exec(text)?.[1];
  const rest = scheme === undefined ? text : text.slice(scheme.length + 1);
  if (!rest.startsWith("/")) return undefined;
  const authority = scheme === undefined ? "" : (/^\/\/([^/]+)/.exec(rest)?.[1] ?? "");
  const segments: string[] = [];
  for (const segment of (authority === "" ? rest : rest.slice(authority.length + 2)).split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  while (segments.at(-1) === "_metadata") segments.pop();
  return { scheme: scheme?.toLowerCase(), authority, path: `/${segments.join("/")}` };
}
