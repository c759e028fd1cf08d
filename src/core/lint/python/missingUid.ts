import type { SourceFile } from "../language";
import { insertUid, type Report } from "./findings";
import { isCalledSomewhere, type Files } from "./modules";
import type { Run } from "./run";
import { options, type Operator } from "./values";

const rollingMethods: ReadonlySet<string> = new Set(["reduce", "sum", "min", "max", "min_by", "max_by"]);

/** Operators of a file that keep state and have no uid. */
export function missingUidReports(file: SourceFile, run: Run, files: Files): readonly Report[] {
  const compacting = new Set(run.sinks.flatMap(({ op, sink }) => (sink !== undefined && options(sink).some((value) => value.t === "object" && value.of === "FileSink" && value.calls.has("enable_compact")) ? [op] : [])));
  const reports: Report[] = [];
  for (const contexts of run.operators.values()) {
    const [op] = contexts;
    if (op === undefined || op.at.path !== file.path || contexts.some(({ broken }) => broken)) continue;
    reports.push(...rolling(contexts));
    const verdict = verdictOf(contexts, run, files);
    if (verdict === undefined) continue;
    const compacts = verdict === "stateful" && contexts.some((one) => compacting.has(one));
    const inBatch = contexts.every(({ env }) => env?.batch === true);
    if (inBatch && verdict === "maybe") continue;
    const shown = contexts.find((one) => one.verdict === "stateful") ?? op;
    const related = [{ at: shown.because, text: shown.becauseText }].filter(({ text }) => text !== "");
    const fix = insertUid(file.text, shown);
    const around = [op.call.start, op.configuredTo];
    if (compacts) {
      reports.push({ rule: "sink-needs-uid", at: op.at, message: "Flink refuses to submit this job: a FileSink that compacts sets uids of its own, so the sink needs one too.", related, fix, around });
      continue;
    }
    const lost = inBatch ? "in batch mode nothing is lost, but once the job runs as a stream, its state is not found again when the job changes" : "when the job changes, its state is not found again";
    const named = op.label === undefined ? "" : ` Its name, ${op.label}, is not used to find it.`;
    reports.push(verdict === "stateful"
      ? { rule: "missing-uid", ...(inBatch ? { severity: "info" } : run.uidsOff.length > 0 ? { severity: "error" } : {}), at: op.at, message: `\`${op.method}\` keeps ${shown.reason}, but has no uid: ${lost}.${named}`, related, fix, around }
      : { rule: "missing-uid-unproven", at: op.at, message: `\`${op.method}\` may keep state and has no uid that can be seen here.`, related, fix, around });
  }
  return reports;
}

/** Every unknown makes the warning a hint; a uid in any run of the operator silences it. */
function verdictOf(contexts: readonly Operator[], run: Run, files: Files): "stateful" | "maybe" | undefined {
  if (contexts.every(({ verdict }) => verdict === "stateless")) return undefined;
  if (contexts.some((op) => op.uids.length > 0 || op.escaped === "likely" || [...op.names].some((name) => run.uidNames.has(name)))) return undefined;
  if (!contexts.some(({ verdict }) => verdict === "stateful") || run.exhausted) return "maybe";
  const unseen = contexts.every((op) => op.escaped === "unknown" || (op.returnedBy !== undefined && !isCalledSomewhere(files, op.returnedBy)));
  return unseen ? "maybe" : "stateful";
}

/** PyFlink gives the state of these a new name at each start, so no restart ever finds it, uid or not (`ReduceProcessKeyedProcessFunctionAdapter`). */
function rolling(contexts: readonly Operator[]): Report[] {
  const op = contexts.find(({ method, reason }) => rollingMethods.has(method) && reason === "the value so far of each key");
  if (op?.graph?.checkpointing !== true) return [];
  return [{ rule: "pyflink-keyed-reduce", at: op.at, message: `PyFlink never restores the state of \`${op.method}\` on a keyed stream, not even with a uid. Keep it in a KeyedProcessFunction with a ReducingState or ValueState of a fixed name.`, around: [op.call.start, op.configuredTo] }];
}
