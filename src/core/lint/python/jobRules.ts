import type { SourceFile } from "../language";
import { sqlReports } from "../text/sqlRules";
import { sqlInStrings } from "../text/sqlStatements";
import type { Report } from "./findings";
import type { Run } from "./run";
import { options, type Value } from "./values";

/** What is said about a job as a whole: its settings, its Kafka ends, its files. */
export function jobReports(file: SourceFile, run: Run): readonly Report[] {
  const reports: Report[] = [];
  const here = <T extends { readonly at: { readonly path: string } }>(one: T): boolean => one.at.path === file.path;
  for (const at of run.fileSources.values()) {
    if (at.path === file.path) reports.push({ rule: "legacy-file-source", at, message: "This source is two operators that keep state, and a uid reaches only one of them. Use FileSource with from_source and a uid." });
  }
  const off = [...run.uidsOff];
  for (const call of [...run.builderCalls.values()].filter(here)) {
    const [key, value] = call.args;
    const setting = key?.t === "text" && /^set/.test(call.method) ? key.value : undefined;
    const given = value?.t === "text" ? value.value : call.saysFalse ? "false" : undefined;
    if (setting === "pipeline.auto-generate-uids" && given?.toLowerCase() === "false") off.push(call.at);
    if (setting === "table.exec.uid.generation" && given?.toUpperCase() === "ALWAYS") reports.push({ rule: "uid-generation-always", at: call.at, message: "ALWAYS gives uids to SQL that has no compiled plan, and they change with the query. Use PLAN_ONLY with a compiled plan." });
    if ((setting === "execution.savepoint-restore-mode" || setting === "execution.state-recovery.claim-mode") && given?.toUpperCase() === "LEGACY") reports.push({ rule: "legacy-claim-mode", at: call.at, message: "Claim mode LEGACY leaves it open who owns the savepoint's files. Use NO_CLAIM or CLAIM." });
    if (call.of.startsWith("KafkaSource") && call.method === "set_group_id" && changes(call.args[0] ?? [...call.named.values()][0]) !== undefined) {
      reports.push({ rule: "kafka-random-group-id", at: call.at, message: "This group id differs from run to run, so committed offsets are never found again." });
    }
  }
  for (const at of off) {
    const keyed = run.environments.find(({ env }) => env.keyedAt !== undefined)?.env.keyedAt;
    if (at.path === file.path && keyed !== undefined) reports.push({ rule: "auto-uids-disabled", at, message: "With automatic uids disabled Flink refuses this job: `key_by` of PyFlink makes an operator that can have no uid.", related: [{ at: keyed, text: "The stream becomes keyed here." }] });
  }
  const unset = run.environments.filter(({ env, at }) => at?.path === file.path && env.keyedAt !== undefined && !env.batch && !env.graph.maxParallelism);
  for (const { at } of unset.length > 0 && !/pipeline\.max-parallelism|set_max_parallelism/.test(file.text) ? unset : []) {
    if (at !== undefined) {
      reports.push({ rule: "max-parallelism-unset", at, message: "This job has keyed state and sets no max parallelism: Flink picks one, the first savepoint fixes it, and the parallelism can never exceed it." });
    }
  }
  if (/paimon|table\.exec\.uid/i.test(file.text)) {
    for (const { rule, start, end, message } of sqlReports(sqlInStrings(file.text))) reports.push({ rule, at: { start, end }, message });
  }
  return unique(reports);
}

function changes(value: Value | undefined): string | undefined {
  return options(value ?? { t: "none" }).map((one) => (one.t === "text" ? one.changes : undefined)).find((one) => one !== undefined);
}

function unique(reports: readonly Report[]): readonly Report[] {
  return [...new Map(reports.map((report) => [`${report.rule}:${report.at.start}`, report])).values()];
}
