import { normaliseLocation } from "../model/location";
import { leadsOut, filePlaceOf, type FileHandle } from "./filePlace";
import type { MetadataLimits } from "./limits";
import type { Metadata } from "./metadata";
import type { Problem } from "./problem";
import type { RandomAccess } from "./randomAccess";
import { streamsOf, subtaskPages, withWindow, type StreamUse } from "./streams";

/**
 * Whether a snapshot can be used, moved or deleted by its folder alone (C-16…18). `relocatable`: all state is inside the metadata or in files
 * named relative to it. `fixed`: all files lie in its folder, but by absolute paths. `dependent`: it needs files outside its folder.
 * `unknown`: the metadata broke off.
 */
export type SelfContainedVerdict = "relocatable" | "fixed" | "dependent" | "unknown";

/** Why a snapshot is not relocatable. */
export type BoundReason =
  /** Absolute paths into its own folder, as all savepoints before Flink 1.11 have. */
  | "absolute-inside"
  /** Absolute paths into a folder of the same name at another place: it was moved or copied from there. */
  | "written-elsewhere"
  /** Absolute paths into folders that differ in one random part: entropy injection (C-17). */
  | "entropy"
  /** Files of incremental checkpoints that others share. */
  | "shared"
  /** Files of tasks, such as those of a write-ahead log (C-18). */
  | "task-owned"
  | "changelog"
  /** Files that several states of a checkpoint were merged into. */
  | "merged"
  | "elsewhere"
  /** Relative paths that lead out of the folder. */
  | "unsafe";

/** A reason with what speaks for it. */
export interface BoundFinding {
  readonly reason: BoundReason;
  readonly handles: number;
  /** Sum over the handles; those of unknown size do not count. */
  readonly sizeBytes: bigint;
  /** One of the paths. */
  readonly example: string;
}

/** The verdict and the reasons for it, the one with most handles first. */
export interface SelfContainment {
  readonly verdict: SelfContainedVerdict;
  readonly findings: readonly BoundFinding[];
  /** Handles with relative and with absolute paths, from the scan. */
  readonly relativeHandles: number;
  readonly absoluteHandles: number;
  /** Handles with absolute or unsafe paths that the findings were made from; fewer than all when `examineHandles` was reached. */
  readonly examinedHandles: number;
}

/** Bounds, and a way to stop. */
export interface ExamineOptions {
  readonly limits?: Partial<MetadataLimits>;
  readonly signal?: AbortSignal;
  /** File handles that are looked at for the reasons, 4,000 by default. */
  readonly examineHandles?: number;
  /** Bytes of the metadata that are decoded for them, 16 MB by default. */
  readonly examineBytes?: number;
}

/**
 * Tells whether a snapshot is self-contained. The verdict between relocatable and not comes from the scan, and without absolute or unsafe paths
 * nothing is read; else handles are decoded, up to bounds, for the reasons. Throws what reading throws, and the signal's reason.
 */
export async function selfContainment(input: RandomAccess, { metadata, problems }: { readonly metadata: Metadata; readonly problems: readonly Problem[] }, folder: string, options: ExamineOptions = {}): Promise<SelfContainment> {
  const countOf = (kind: string): number => metadata.handleCounts.get(kind) ?? 0;
  const relativeHandles = countOf("relativeFile");
  const absoluteHandles = countOf("file") + countOf("segment");
  const most = options.examineHandles ?? 4000;
  const findings = new Findings(folder);
  let looked = 0;
  if (absoluteHandles > 0 || problems.some(({ code }) => code === "path-unsafe")) {
    const file = withWindow(input);
    let bytesLeft = options.examineBytes ?? 16 << 20;
    rows: for (let row = 0; row < metadata.operators.count; row++) {
      let at = 0;
      const lengths = metadata.operators.subtasks(row, 0, 10_000).map(({ lengthBytes }) => lengthBytes);
      for await (const { subtasks } of subtaskPages(file, metadata, row, options)) {
        options.signal?.throwIfAborted();
        for (const subtask of subtasks) {
          if ((bytesLeft -= lengths[at++] ?? 0) < 0) break rows;
          for (const use of streamsOf(subtask)) if (findings.add(use) && ++looked >= most) break rows;
        }
      }
    }
  }
  const found = findings.list();
  const outside = found.some(({ reason }) => reason !== "absolute-inside" && reason !== "written-elsewhere");
  const verdict = !metadata.whole ? "unknown" : outside ? "dependent" : found.length > 0 || absoluteHandles > 0 ? "fixed" : "relocatable";
  return { verdict, findings: found, relativeHandles, absoluteHandles, examinedHandles: findings.bound };
}

/** Gathers what absolute paths there are. */
class Findings {
  bound = 0;
  readonly #folder: string;
  readonly #home: string;
  readonly #homeName: string;
  readonly #found = new Map<BoundReason, { handles: number; sizeBytes: bigint; example: string }>();
  /** Folders of the same name at other places: one is where the snapshot was written, several are the work of entropy injection. */
  readonly #sameName = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#home = normaliseLocation(folder);
    this.#homeName = this.#home.slice(this.#home.lastIndexOf("/") + 1);
  }

  /** False for a handle that names no file. */
  add(use: StreamUse): boolean {
    const { handle } = use;
    if (!("path" in handle)) return false;
    if (handle.type === "relativeFile" && !leadsOut(handle.path)) return true;
    this.bound++;
    const reason = this.#reasonOf(handle, use);
    const known = this.#found.get(reason);
    const sizeBytes = handle.sizeBytes > 0n ? handle.sizeBytes : 0n;
    if (known === undefined) this.#found.set(reason, { handles: 1, sizeBytes, example: handle.path });
    else {
      known.handles++;
      known.sizeBytes += sizeBytes;
    }
    return true;
  }

  list(): readonly BoundFinding[] {
    const moved = this.#found.get("written-elsewhere");
    if (moved !== undefined && (this.#sameName.size > 1 || this.#found.has("entropy"))) {
      const entropy = this.#found.get("entropy") ?? { handles: 0, sizeBytes: 0n, example: moved.example };
      this.#found.set("entropy", { handles: entropy.handles + moved.handles, sizeBytes: entropy.sizeBytes + moved.sizeBytes, example: entropy.example });
      this.#found.delete("written-elsewhere");
    }
    return [...this.#found].map(([reason, found]) => ({ reason, ...found })).sort((a, b) => b.handles - a.handles);
  }

  #reasonOf(handle: FileHandle, { part }: StreamUse): BoundReason {
    const { relation, location } = filePlaceOf(this.#folder, handle);
    if (relation === "unsafe") return "unsafe";
    if (relation === "inside") return handle.type === "segment" ? "merged" : "absolute-inside";
    if (part === "changelog") return "changelog";
    if (handle.type === "segment") return "merged";
    if (location.includes("/taskowned/")) return "task-owned";
    if (part === "shared" || location.includes("/shared/")) return "shared";
    const parent = location.slice(0, location.lastIndexOf("/"));
    if (parent.slice(parent.lastIndexOf("/") + 1) !== this.#homeName) return "elsewhere";
    if (isEntropyOf(this.#home, parent)) return "entropy";
    if (this.#sameName.size < 1000) this.#sameName.add(parent);
    return "written-elsewhere";
  }
}

/** True when a folder is another one's with one part more, or with one other part in the middle. */
function isEntropyOf(home: string, folder: string): boolean {
  const want = home.split("/");
  const have = folder.split("/");
  if (have.length !== want.length + 1) return false;
  let same = 0;
  while (same < want.length && want[same] === have[same]) same++;
  return want.slice(same).join("/") === have.slice(same + 1).join("/");
}
