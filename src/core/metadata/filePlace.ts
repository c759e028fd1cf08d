import { normaliseLocation } from "../model/location";
import type { StreamHandle } from "./handles";

/** A handle that names a file, or a part of one. */
export type FileHandle = Extract<StreamHandle, { readonly path: string }>;

/** How a file lies to the folder that the metadata is read from. */
export type FileRelation =
  /** Below the folder. */
  | "inside"
  /** Below the folder of the job whose checkpoint it is, such as `shared/` and `taskowned/`. */
  | "checkpoints"
  /** Anywhere else. */
  | "elsewhere"
  /** A relative path that leads out of the folder, or no path at all. */
  | "unsafe";

/** Where a file is, and where it may be read. */
export interface FilePlace {
  readonly relation: FileRelation;
  /** The place that the handle names, in one spelling (`normaliseLocation`); for an unsafe path the text as it is. */
  readonly location: string;
  /** Where to look for it, in this order. A place elsewhere is never among them: what nobody vouches for must not choose the files that are opened. */
  readonly candidates: readonly string[];
  /**
   * The folder that no candidate leaves, through links either: the metadata's, or that of the job whose checkpoint it is. Only what a person named
   * is followed out of it: the folder itself, the folders above it, and `_metadata`.
   */
  readonly within: string;
}

/**
 * Resolves a handle's path against the folder that the metadata is read from, a location. Relative paths lie in the folder (C-16); of absolute
 * ones, those of a snapshot that was moved or copied may lie beside the metadata under the same name, and those of a moved checkpoint in the
 * same place below the job's folder.
 */
export function filePlaceOf(folder: string, handle: Pick<FileHandle, "type" | "path">): FilePlace {
  const home = normaliseLocation(folder);
  const { path } = handle;
  const job = jobFolderOf(home);
  const within = job ?? home;
  if (handle.type === "relativeFile") {
    if (leadsOut(path)) return { relation: "unsafe", location: path, candidates: [], within };
    const location = `${home === "file:/" ? "file:" : home}/${path.replace(/^(\.\/)+/, "")}`;
    return { relation: "inside", location, candidates: [location], within };
  }
  if (!/^\/|^[A-Za-z][A-Za-z0-9+.-]+:\//.test(path) || path.includes("\0")) return { relation: "unsafe", location: path, candidates: [], within };
  const location = normaliseLocation(path);
  if (location.startsWith(`${home}/`)) return { relation: "inside", location, candidates: [location], within };
  const name = location.slice(location.lastIndexOf("/") + 1);
  const beside = name === "" ? [] : [`${home}/${name}`];
  if (job === undefined) return { relation: "elsewhere", location, candidates: beside, within };
  if (location.startsWith(`${job}/`)) return { relation: "checkpoints", location, candidates: [location, ...beside], within };
  const below = /\/((?:shared|taskowned)\/.+)$/.exec(location)?.[1];
  return { relation: "elsewhere", location, candidates: below === undefined ? beside : [...beside, `${job}/${below}`], within };
}

/** True for a relative path that is none, or would leave the folder it is relative to. */
export function leadsOut(path: string): boolean {
  return path.includes("\0") || /^[\\/]|^[A-Za-z][A-Za-z0-9+.-]*:|(^|[\\/])\.\.([\\/]|$)|^$/.test(path);
}

/** The folder of the job whose checkpoint `chk-…` lies at a location, else undefined. */
function jobFolderOf(home: string): string | undefined {
  return /^(.*)\/chk-\d+$/.exec(home)?.[1];
}
