import path from "node:path";
import { metadataFileAt, openRegularFile, type OpenedFile } from "../clients/localFiles";
import type { MetadataLimits } from "../core/metadata/limits";
import type { Metadata } from "../core/metadata/metadata";
import { problemText } from "../core/metadata/problemText";
import type { Problem } from "../core/metadata/problem";
import { scanMetadata } from "../core/metadata/scan";
import type { Terminal } from "./command";
import { pathArgument } from "./pathArgument";
import { printable } from "./printable";

/** A snapshot's metadata that was read, as far as it can be. */
export interface Snapshot {
  /** The file. */
  readonly file: string;
  /** Its folder, as an absolute path. */
  readonly folder: string;
  readonly input: OpenedFile;
  readonly metadata: Metadata;
  readonly problems: readonly Problem[];
  readonly problemCount: number;
}

/**
 * Opens and reads the metadata that an argument names: a savepoint's folder, its `_metadata`, or a `file:` location of either. Undefined when
 * not even its head can be read, which has been told then. Throws `file-unreadable`. The caller closes the input.
 */
export async function readSnapshot(place: string, terminal: Terminal, limits: Partial<MetadataLimits> = {}): Promise<Snapshot | undefined> {
  const file = await metadataFileAt(pathArgument(place, terminal.workingFolder));
  const input = await openRegularFile(file);
  try {
    const { metadata, problems, problemCount } = await scanMetadata(input, { limits, signal: terminal.signal });
    tellErrors(problems, file, terminal);
    if (metadata !== undefined) return { file, folder: path.dirname(file), input, metadata, problems, problemCount };
  } catch (error) {
    await input.close();
    throw error;
  }
  await input.close();
  return undefined;
}

/** Errors as `code: sentence` with their place: the file, since two may be read, and where in it. */
function tellErrors(problems: readonly Problem[], file: string, terminal: Terminal): void {
  for (const problem of problems) {
    if (problem.severity === "error") terminal.err(printable(`${problem.code}: ${problemText(problem)} (${file}, byte ${problem.offset}${problem.path === "" ? "" : `, ${problem.path}`})`));
  }
}
