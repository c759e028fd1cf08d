import { normaliseClusterUrl, type ClusterProfile } from "../model/cluster";
import { scheduleKey, type ScheduleInForce } from "../schedule/tick";
import type { LifecycleFile, PlacedSchedule } from "./readLifecycleFile";

/** A file of schedules and cleanup rules that counts here. */
export interface LoadedFile {
  /** What names it in messages, and for processes of this machine: its path, or its address. */
  readonly path: string;
  readonly level: "user" | "workspace";
  readonly file: LifecycleFile;
}

/** Why an entry that is valid by itself does not count here. */
export interface LeftOut {
  readonly path: string;
  readonly placed: PlacedSchedule;
  /** With full stop. */
  readonly why: string;
}

/** The schedules that count, each once, and those that do not. Of two of the same name for the same job a workspace's counts before a user's. */
export function schedulesInForce(files: readonly LoadedFile[], clusters: readonly ClusterProfile[]): { readonly schedules: readonly ScheduleInForce[]; readonly leftOut: readonly LeftOut[] } {
  const found = new Map<string, ScheduleInForce>();
  const leftOut: LeftOut[] = [];
  const ordered = [...files].sort((a, b) => (a.level === b.level ? 0 : a.level === "workspace" ? -1 : 1));
  for (const { path, file } of ordered) {
    for (const placed of file.schedules) {
      const { schedule } = placed;
      const cluster = clusterOf(schedule.cluster, clusters);
      if (cluster === undefined) {
        leftOut.push({ path, placed, why: `No cluster of the settings has the name or address ${schedule.cluster}, so this schedule does not run here.` });
        continue;
      }
      const key = scheduleKey(cluster, schedule);
      const twin = found.get(key);
      if (twin === undefined) found.set(key, { key, cluster, schedule, file: path });
      else leftOut.push({ path, placed, why: `The same schedule stands in ${twin.file}, and that one counts.` });
    }
  }
  return { schedules: [...found.values()], leftOut };
}

/** Address of the cluster that an entry of the file means, or undefined when none of these is it. */
export function clusterOf(nameOrAddress: string, clusters: readonly ClusterProfile[]): string | undefined {
  const url = nameOrAddress.includes("://") ? normaliseClusterUrl(nameOrAddress) : undefined;
  return clusters.find((profile) => profile.url === url)?.url ?? clusters.find((profile) => profile.name === nameOrAddress)?.url;
}
