import { durationMs } from "../lifecycle/duration";
import type { CleanupSection } from "../lifecycle/lifecycleFile";
import type { FindCleanup, JobCleanup } from "./rules";

/** A file that may hold cleanup rules. */
export interface RulesFile {
  /** Names it in messages. */
  readonly path: string;
  readonly level: "user" | "workspace";
  readonly file: { readonly cleanup: CleanupSection | undefined };
}

type Rule = Pick<CleanupSection["jobs"][number], "keep" | "maxAge" | "enabled">;

/**
 * Which rules are a job's: an entry of its own before a default, a workspace's before a user's, one that names the cluster before one that does not. An
 * entry counts instead of others as a whole, switched off too. `clusterOf` finds the address of a cluster by its name or address.
 */
export function findCleanup(files: readonly RulesFile[], clusterOf: (nameOrAddress: string) => string | undefined): FindCleanup {
  const ordered = [...files].sort((a, b) => (a.level === b.level ? 0 : a.level === "workspace" ? -1 : 1));
  return (cluster, jobName) => {
    for (const { path, file: { cleanup } } of ordered) {
      const mine = cleanup?.jobs.filter(({ job }) => job === jobName) ?? [];
      const entry = mine.find((each) => each.cluster !== undefined && clusterOf(each.cluster) === cluster) ?? mine.find((each) => each.cluster === undefined);
      if (cleanup !== undefined && entry !== undefined) return setBy(path, cleanup, entry);
    }
    for (const { path, file: { cleanup } } of ordered) {
      if (cleanup !== undefined && (cleanup.default.keep !== undefined || cleanup.default.maxAge !== undefined)) return setBy(path, cleanup, { ...cleanup.default, enabled: true });
    }
    return { enabled: false, rules: null, source: null };
  };
}

function setBy(source: string, { enabled, undo }: CleanupSection, rule: Rule): JobCleanup {
  const hasRule = rule.keep !== undefined || rule.maxAge !== undefined;
  // What can't be read keeps longest; the reader of the file has said so.
  const maxAgeMs = rule.maxAge === undefined ? null : (durationMs(rule.maxAge) ?? null);
  return { enabled: enabled && rule.enabled, rules: hasRule ? { keep: rule.keep ?? null, maxAgeMs, undoMs: durationMs(undo) ?? 86_400_000 } : null, source };
}
