import type { TextReport } from "./report";

/** A setting of Flink somewhere in a text, with the places of its key and its value. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** Old names and the new ones Flink prefers (ConfigOptions' deprecated and fallback keys). */
const renamed: Readonly<Record<string, string>> = {
  "state.savepoints.dir": "execution.checkpointing.savepoint-dir",
  "state.checkpoints.dir": "execution.checkpointing.dir",
  "state.checkpoints.num-retained": "execution.checkpointing.num-retained",
  "state.checkpoint-storage": "execution.checkpointing.storage",
  "state.backend": "state.backend.type",
  "state.backend.incremental": "execution.checkpointing.incremental",
  "state.backend.local-recovery": "execution.state-recovery.from-local",
  "execution.savepoint.path": "execution.state-recovery.path",
  "execution.savepoint-restore-mode": "execution.state-recovery.claim-mode",
  "execution.savepoint.ignore-unclaimed-state": "execution.state-recovery.ignore-unclaimed-state",
  "execution.checkpointing.unaligned": "execution.checkpointing.unaligned.enabled",
  "restart-strategy": "restart-strategy.type",
};
const savepointDirectories: ReadonlySet<string> = new Set(["state.savepoints.dir", "execution.checkpointing.savepoint-dir"]);
const claimModes: ReadonlySet<string> = new Set(["execution.savepoint-restore-mode", "execution.state-recovery.claim-mode"]);

/** What is said of one place's settings: those of a file, of one deployment, or of one command. */
export function settingReports(settings: readonly Setting[]): readonly TextReport[] {
  return settings.flatMap((setting): TextReport[] => {
    const { key, start, end } = setting;
    const value = setting.value.trim();
    const reports: TextReport[] = [];
    const newer = renamed[key];
    const other = newer === undefined ? undefined : settings.find((one) => one.key === newer);
    if (other !== undefined) {
      reports.push({ rule: "conflicting-keys", start, end, message: `${key} is the old name of ${other.key}, which is set too: Flink takes the new one and ignores this.`, related: { start: other.start, end: other.end, text: "The new name is set here." } });
    }
    if (claimModes.has(key) && value.toUpperCase() === "LEGACY") reports.push(legacyClaimMode(start, end));
    if (key === "pipeline.auto-generate-uids" && value.toLowerCase() === "false") {
      reports.push({ rule: "auto-generate-uids", start, end, message: "With automatic uids off Flink refuses every job that has an operator without one. Jobs with joins, readFile, SQL or PyFlink's key_by can never give one to all." });
    }
    if (savepointDirectories.has(key) && isLocal(value)) reports.push(localDirectory(start, end));
    if (key === "table.exec.uid.generation" && value.toUpperCase() === "ALWAYS") {
      reports.push({ rule: "uid-generation-always", start, end, message: "ALWAYS gives uids to SQL that has no compiled plan, and they change with the query. Use PLAN_ONLY with a compiled plan." });
    }
    return reports;
  });
}

/** Claim mode LEGACY, by a key or by an option. */
export function legacyClaimMode(start: number, end: number): TextReport {
  return { rule: "legacy-claim-mode", start, end, message: "Claim mode LEGACY leaves it open who owns the savepoint's files, and Flink 2 no longer knows it. Use NO_CLAIM or CLAIM." };
}

/** Savepoints in a folder of one machine. */
export function localDirectory(start: number, end: number): TextReport {
  return { rule: "local-savepoint-directory", start, end, message: "These savepoints lie on the disk of one machine: the others can't write their part to it, and it can go with the machine. Use storage that all of them reach." };
}

/** Whether a directory is on a local disk for certain: by its scheme. */
export function isLocal(directory: string): boolean {
  return /^["']?file:/i.test(directory);
}
