import { readFile } from "node:fs/promises";
import path from "node:path";
import { unreadableReason } from "../clients/localFiles";
import { FlinkError } from "../core/errors";
import { lifecycleFileName } from "../core/lifecycle/fileName";
import { warehouseKey } from "../core/model/warehouse";
import { UsageError } from "./command";
import { pathArgument } from "./pathArgument";

/** What a command takes that works on clusters as the editor does. */
export interface HeadlessOptions {
  /** Folder of the ledger and of what is known of schedules; the user's own when absent. */
  readonly state: string | undefined;
  /** File of credentials. */
  readonly credentials: string | undefined;
  /** Clusters by the names that files use for them. */
  readonly clusters: ReadonlyMap<string, string>;
  /** Paimon warehouses whose tags keep savepoints, normalised. */
  readonly warehouses: readonly string[];
}

/** Options with a value that `headlessOptions` checks. */
export const headlessValues = ["state", "credentials"] as const;
/** Options that `headlessOptions` takes more than once. */
export const headlessLists = ["cluster", "warehouse"] as const;

/** Checks the options. Throws `UsageError`. */
export function headlessOptions(values: Readonly<Record<(typeof headlessValues)[number], string | undefined>>, lists: Readonly<Record<(typeof headlessLists)[number], readonly string[]>>, workingFolder: string): HeadlessOptions {
  const clusters = new Map<string, string>();
  for (const pair of lists.cluster) {
    const [, name, address] = /^([^=]+)=(https?:\/\/.+)$/.exec(pair) ?? [];
    if (name === undefined || address === undefined) throw new UsageError("--cluster takes a name and its address, such as prod=https://flink.example.com.");
    clusters.set(name, address);
  }
  const warehouses = lists.warehouse.map((place) => {
    const key = warehouseKey(pathArgument(place, workingFolder));
    if (key === undefined) throw new UsageError(`${place} is no place of a warehouse.`);
    return key;
  });
  const { state, credentials } = values;
  // An empty variable of a shell must not become the working folder, or no credentials at all.
  for (const name of headlessValues) if (values[name]?.trim() === "") throw new UsageError(`--${name} takes a ${name === "state" ? "folder" : "file"}, and is empty.`);
  return { state: state && path.resolve(workingFolder, state), credentials: credentials && path.resolve(workingFolder, credentials), clusters, warehouses };
}

/** What to do about a cluster that a file names and nothing explains. */
export function clusterUnknownText(name: string): string {
  return name.includes("://") ? `${name} is no address of a cluster.` : `No cluster is known here as ${name}: give its address with --cluster ${name}=ADDRESS.`;
}

/** The files that were named, else that of the working folder. */
export function filesNamed(files: readonly string[], workingFolder: string): string[] {
  return (files.length === 0 ? [lifecycleFileName] : files).map((file) => path.resolve(workingFolder, file));
}

/** Reads a file of schedules. Throws `file-unreadable`. */
export async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new FlinkError("file-unreadable", { path: file, reason: unreadableReason(error) }, { cause: error });
  }
}
