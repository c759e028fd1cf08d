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
  /** Whether that is because nothing here is known of its cluster. */
  readonly isClusterUnknown: boolean;
}

/** What the entries of all files come to. */
export interface CountedSchedules {
  /** Those that count, each once; a waiting one is among them unless one of the user's own counts in its place. */
  readonly schedules: readonly ScheduleInForce[];
  /** Of shared files, switched on, and not agreed to as they are now. */
  readonly waiting: readonly ScheduleInForce[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * The schedules that count, each once, and those that do not. Of two of the same name for the same job a workspace's counts before a user's, once it is
 * agreed to: until then a commit must not stop what the user runs. `isAgreed` is asked of those of workspaces only.
 */
export function schedulesInForce(files: readonly LoadedFile[], clusters: readonly ClusterProfile[], isAgreed: (inForce: ScheduleInForce) => boolean): CountedSchedules {
  const candidates: { readonly placed: PlacedSchedule; readonly inForce: ScheduleInForce; readonly isAgreed: boolean }[] = [];
  const leftOut: LeftOut[] = [];
  const ordered = [...files].sort((a, b) => (a.level === b.level ? 0 : a.level === "workspace" ? -1 : 1));
  for (const { path, level, file } of ordered) {
    for (const placed of file.schedules) {
      const { schedule } = placed;
      const cluster = clusterOf(schedule.cluster, clusters);
      if (cluster === undefined) {
        leftOut.push({ path, placed, why: `No cluster of the settings has the name or address ${schedule.cluster}, so this schedule does not run here.`, isClusterUnknown: true });
        continue;
      }
      const inForce: ScheduleInForce = { key: scheduleKey(cluster, schedule), cluster, schedule, file: path };
      candidates.push({ placed, inForce, isAgreed: level === "user" || isAgreed(inForce) });
    }
  }
  const found = new Map<string, ScheduleInForce>();
  const waiting: ScheduleInForce[] = [];
  for (const { inForce } of [...candidates.filter((each) => each.isAgreed), ...candidates]) if (!found.has(inForce.key)) found.set(inForce.key, inForce);
  const asking = new Set<string>();
  for (const { placed, inForce, isAgreed: isSettled } of candidates) {
    const { key, file, schedule } = inForce;
    const twin = found.get(key);
    const waits = !isSettled && schedule.enabled && !asking.has(key) && (twin === inForce || files.some(({ path, level }) => path === twin?.file && level === "user"));
    if (waits) {
      asking.add(key);
      waiting.push(inForce);
    } else if (twin !== undefined && twin !== inForce) leftOut.push({ path: file, placed, why: `The same schedule stands in ${twin.file}, and that one counts.`, isClusterUnknown: false });
  }
  return { schedules: [...found.values()], waiting, leftOut };
}

/** Address of the cluster that an entry of the file means, or undefined when none of these is it. */
export function clusterOf(nameOrAddress: string, clusters: readonly ClusterProfile[]): string | undefined {
  const url = nameOrAddress.includes("://") ? normaliseClusterUrl(nameOrAddress) : undefined;
  return clusters.find((profile) => profile.url === url)?.url ?? clusters.find((profile) => profile.name === nameOrAddress)?.url;
}
