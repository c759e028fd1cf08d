import { isAbort, unlessAborted } from "../core/base/async";
import { hitText, rulesText, spareText } from "../core/cleanup/cleanupText";
import { findCleanup } from "../core/cleanup/findCleanup";
import { isVictim, planMark, type CleanupPlan, type CleanupRow } from "../core/cleanup/plan";
import type { CleanupRules } from "../core/cleanup/rules";
import { isFlinkError } from "../core/errors";
import { explain } from "../core/explain";
import { clusterOf } from "../core/lifecycle/inForce";
import type { SavepointRecord } from "../core/ledger/record";
import type { Log, Run } from "../core/ports";
import { savepointName, sizeText, spanText } from "../core/wording";
import type { CleanupJob, CleanupState } from "../services/cleanup";
import type { CleanupAsked } from "./cleanup";
import { UsageError, type Terminal } from "./command";
import { clusterUnknownText } from "./lifecycleArguments";
import { openHeadless, type Headless } from "./headlessApp";
import { printable } from "./printable";
import { tableLines } from "./table";

/** How long what an earlier process left open may take to be looked up, milliseconds. */
const settleMs = 30_000;

/** One savepoint in the JSON. */
interface SavepointJson {
  readonly id: string;
  readonly name: string;
  readonly path: string | null;
  readonly requestedAt: string;
  readonly sizeBytes: number | null;
  /** The rules that hit a victim, or what spares a survivor: sentences or parts of them. */
  readonly reasons: readonly string[];
  /** Of victims only. */
  readonly removal?: "aside" | "at-once";
}

/** How it stands with one job, as `--json` writes it. */
interface JobJson {
  readonly cluster: string;
  readonly job: string;
  /** File that the rules are written in. */
  readonly file: string | null;
  readonly rules: CleanupRules;
  readonly enabled: boolean;
  agreed: boolean;
  /** Names this preview, for `run --seen`. */
  mark: string | null;
  pauseMs: number | null;
  victims: readonly SavepointJson[];
  survivors: readonly SavepointJson[];
  /** What lies aside and can be put back. */
  aside: readonly { readonly id: string; readonly name: string; readonly path: string; readonly asidePath: string; readonly until: string }[];
  /** Of `run`: ids of what was removed, and of what was not, with the reason. */
  removed: readonly string[];
  failed: readonly { readonly id: string; readonly reason: string }[];
  /** Why `run` removed nothing. */
  held: "not-enabled" | "not-agreed" | "pause" | "clock" | null;
  error: { readonly code: string; readonly message: string } | null;
  /** With `held: "clock"`: the sentence. */
  clock?: string | undefined;
}

/** Does what was asked. Resolves to the exit code. Throws as `openHeadless`. */
export async function runCleanup(asked: CleanupAsked, terminal: Terminal): Promise<number> {
  const headless = await openHeadless(asked.files, asked, errorLog(terminal));
  try {
    if (asked.verb === "undo") return await putBack(headless, asked, terminal);
    if (asked.verb === "pin" || asked.verb === "unpin") return await (await import("./cleanupPin")).pinNamed(headless, asked, terminal);
    if (asked.verb === "run") await settle(headless, terminal);
    const jobs = await jobsWithRules(headless, asked.jobs);
    const told: JobJson[] = [];
    for (const job of jobs) {
      terminal.signal.throwIfAborted();
      told.push(await oneJob(headless, job, asked, terminal));
      if (!asked.json) tell(told.at(-1) as JobJson, asked.verb, terminal);
    }
    const unknown = unknownClusters(headless, asked.jobs);
    for (const name of unknown) terminal.err(printable(clusterUnknownText(name)));
    const clusters = headless.profiles().map(({ name, url }) => ({ name, url }));
    if (asked.json) terminal.out(JSON.stringify({ jobs: told, clusters }, null, 2));
    else if (jobs.length > 0 && asked.verb !== "withdraw") terminal.out(printable(`Jobs were asked on ${clusters.map(({ url }) => url).join(", ")} only. Name every other cluster on which a job may need one of these with --cluster.`));
    if (!asked.json && jobs.length === 0) terminal.out("No job has cleanup rules here.");
    for (const name of asked.jobs) if (!jobs.some(({ jobName }) => jobName === name)) terminal.err(printable(`No rule is set for a job named ${name}, or nothing is known of it here.`));
    const isDone = ({ error, failed, held, agreed }: JobJson): boolean => error === null && failed.length === 0 && (held === null || held === "not-enabled") && (asked.verb !== "agree" || agreed);
    return unknown.size === 0 && told.every(isDone) && asked.jobs.every((name) => jobs.some(({ jobName }) => jobName === name)) ? 0 : 1;
  } finally {
    headless.dispose();
  }
}

async function oneJob({ cleanup, app }: Headless, job: CleanupJob, { verb, seen }: CleanupAsked, terminal: Terminal): Promise<JobJson> {
  const run: Run = { signal: terminal.signal, report: () => undefined };
  const state = await cleanup.state(job);
  const { set } = state;
  const rules = set.rules ?? { keep: null, maxAgeMs: null, undoMs: 0 };
  const told: JobJson = {
    cluster: job.cluster, job: job.jobName, file: set.source, rules, enabled: set.enabled, agreed: state.isAgreed, mark: null, pauseMs: null, victims: [], survivors: [], aside: asideOf(state), removed: [], failed: [],
    held: verb === "run" && !set.enabled ? "not-enabled" : null, error: null,
  };
  const show = (plan: CleanupPlan): void => void Object.assign(told, { mark: planMark(plan), pauseMs: plan.pauseMs, victims: plan.rows.filter(isVictim).map(savepointJson), survivors: plan.rows.filter((row) => !isVictim(row)).map(savepointJson) });
  try {
    if (verb === "preview" || verb === "agree") show((await cleanup.preview(job, run)).plan);
    if (verb === "agree" && set.enabled) await cleanup.agree(job, rules);
    if (verb === "withdraw") await cleanup.agree(job, null);
    if (verb === "run") {
      const outcome = await cleanup.runAgreed(job, "asked", run, (plan) => planMark(plan) === seen);
      if (outcome !== undefined) {
        show(outcome.plan);
        told.removed = outcome.removed;
        told.failed = await Promise.all(outcome.failed.map(async (id) => ({ id, reason: failureIn(await app.ledger.get(id)) })));
        told.held = outcome.held ?? (clockSpare(outcome.plan) === undefined ? null : "clock");
        told.clock = clockSpare(outcome.plan);
      }
    }
    const now = await cleanup.state(job);
    told.agreed = now.isAgreed;
    told.aside = asideOf(now);
  } catch (error) {
    if (isAbort(error) || !isFlinkError(error)) throw error;
    told.error = { code: error.code, message: explain(error).message };
  }
  return told;
}

/** Each job that has a rule: those that the files name, and those that the ledger knows scheduled savepoints of. */
async function jobsWithRules({ app, lifecycle, cleanup, profiles }: Headless, only: readonly string[]): Promise<CleanupJob[]> {
  const found = new Map<string, CleanupJob>();
  const add = (cluster: string | undefined, jobName: string): void => void (cluster !== undefined && (only.length === 0 || only.includes(jobName)) && found.set(`${cluster}\n${jobName}`, { cluster, jobName }));
  for (const { file } of lifecycle.files()) {
    for (const { schedule } of file.schedules) add(clusterOf(schedule.cluster, profiles()), schedule.job);
    for (const { job, cluster } of file.cleanup?.jobs ?? []) if (cluster !== undefined) add(clusterOf(cluster, profiles()), job);
  }
  for (const record of await app.ledger.all()) if (record.kind === "savepoint" && record.origin === "scheduled") add(record.cluster.url, record.job.name);
  const states = await Promise.all([...found.values()].map(async (job) => ({ job, state: await cleanup.state(job) })));
  return states.filter(({ state }) => state.set.rules !== null).map(({ job }) => job).sort((a, b) => (`${a.jobName} ${a.cluster}` < `${b.jobName} ${b.cluster}` ? -1 : 1));
}

/** Clusters that the files name for these jobs and their rules, and of which nothing is known here, so that the rules count nowhere. */
function unknownClusters({ lifecycle, profiles }: Headless, only: readonly string[]): ReadonlySet<string> {
  const named = lifecycle.files().flatMap(({ file }) => [...file.schedules.map(({ schedule }) => schedule), ...(file.cleanup?.jobs ?? [])]);
  const ruleOf = findCleanup(lifecycle.files(), (name) => name);
  return new Set(named.flatMap(({ cluster, job }) => (cluster === undefined || (only.length > 0 && !only.includes(job)) || clusterOf(cluster, profiles()) !== undefined || ruleOf(cluster, job).rules === null ? [] : [cluster])));
}

/** What a process that was killed left in the middle, and what has lain aside for long enough. */
async function settle({ app, cleanup }: Headless, { signal }: Terminal): Promise<void> {
  await app.reconciler.reconcile();
  await unlessAborted(app.reconciler.settled(), AbortSignal.any([signal, AbortSignal.timeout(settleMs)])).catch(() => undefined);
  signal.throwIfAborted();
  await cleanup.settleLeftovers();
  await cleanup.removeDue();
}

async function putBack({ cleanup, app }: Headless, { named: recordIds, json }: CleanupAsked, terminal: Terminal): Promise<number> {
  const back: { readonly id: string; readonly path: string | null; readonly error: string | null }[] = [];
  // All before the first, so that a usage error means that nothing was done.
  for (const id of recordIds) if ((await app.ledger.get(id))?.kind !== "savepoint") throw new UsageError(`No savepoint has the id ${id}; cleanup preview tells those that lie aside.`);
  for (const id of recordIds) {
    try {
      back.push({ id, path: (await cleanup.undo(id)).path, error: null });
    } catch (error) {
      if (!isFlinkError(error)) throw error;
      back.push({ id, path: null, error: explain(error).message });
    }
  }
  if (json) terminal.out(JSON.stringify({ back }, null, 2));
  else for (const { id, path, error } of back) (error === null ? terminal.out : terminal.err)(printable(error ?? `${id} is back at ${path ?? ""}, and pinned, so that rules leave it alone.`));
  return back.every(({ error }) => error === null) ? 0 : 1;
}

function tell(told: JobJson, verb: CleanupAsked["verb"], terminal: Terminal): void {
  const { job, cluster, rules, file, enabled, agreed, victims, survivors, aside, removed, failed, held, error, pauseMs, mark, clock } = told;
  const name = (one: { readonly id: string }): string => [...victims, ...survivors].find(({ id }) => id === one.id)?.name ?? one.id;
  terminal.out(printable(`${job} on ${cluster}: ${rulesText(rules)} (${file ?? ""})`));
  const lines = [
    !enabled ? "Its rules are not switched on in the file." : agreed ? (verb === "agree" ? "Agreed: from now on this rule removes by itself. Any other needs to be agreed to anew." : "Agreed to.") : "Not agreed to, so nothing goes by itself.",
    verb === "run" ? (held === "pause" ? null : held !== null ? `Nothing was removed.${clock === undefined ? "" : ` ${clock}`}` : `${removed.length} removed${removed.length > 0 ? `: ${removed.map((id) => name({ id })).join(", ")}` : ""}.`) : null,
    pauseMs === null || (verb === "run" && held !== "pause") ? null : `No savepoint was taken for ${spanText(pauseMs)}, longer than the rule allows: older ones wait until somebody has looked${mark === null ? "" : `, with run --seen ${mark}`}.`,
  ];
  for (const line of lines) if (line !== null) terminal.out(`  ${printable(line)}`);
  if (verb !== "withdraw" && verb !== "run") {
    const heads = ["", "savepoint", "taken", "size", "why", "id"].map((title) => ({ title, align: title === "size" ? "right" as const : "left" as const }));
    const row = (what: string) => (one: SavepointJson): string[] => [what, one.name, one.requestedAt.slice(0, 16).replace("T", " "), one.sizeBytes === null ? "" : sizeText(one.sizeBytes), [one.reasons.join(", "), one.removal === "at-once" ? "for good" : null].filter((part) => part !== null).join(", "), one.id];
    if (victims.length + survivors.length > 0) for (const line of tableLines(heads, [...victims.map(row("goes")), ...survivors.map(row("stays"))].map((texts) => texts.map((text) => printable(text))), "  ")) terminal.out(line);
  }
  for (const { id, name: called, until } of aside) terminal.out(printable(`  ${called} lies aside until ${until}; put back with undo ${id}`));
  for (const { id, reason } of failed) terminal.err(printable(`${name({ id })} could not be removed: ${reason}`));
  if (error !== null) terminal.err(printable(`${job}: ${error.code}: ${error.message}`));
}

function savepointJson({ record, hits, spares, removal }: CleanupRow): SavepointJson {
  const { id, path, requestedAtMs, sizeBytes } = record;
  return { id, name: savepointName(record), path, requestedAt: new Date(requestedAtMs).toISOString(), sizeBytes, reasons: spares.length > 0 ? spares.map(spareText) : hits.map(hitText), ...(removal === undefined ? {} : { removal }) };
}

function asideOf({ aside }: CleanupState): JobJson["aside"] {
  return aside.flatMap((record: SavepointRecord) => (record.cleanup?.aside ? [{ id: record.id, name: savepointName(record), path: record.path ?? "", asidePath: record.cleanup.aside.path, until: new Date(record.cleanup.aside.untilMs).toISOString() }] : []));
}

/** Why the clock kept a run from removing anything. */
function clockSpare(plan: CleanupPlan): string | undefined {
  return plan.rows.flatMap(({ spares }) => spares).filter(({ spare }) => spare === "clock-differs").map(spareText)[0];
}

function failureIn(record: { readonly kind: string } | undefined): string {
  return record?.kind === "savepoint" ? ((record as SavepointRecord).cleanup?.failure ?? "") : "";
}

/** What is wrong in the files is told with its place by the command. */
function errorLog(terminal: Terminal): Log {
  const silent = (): void => undefined;
  return { trace: silent, debug: silent, info: silent, warn: silent, error: (message) => terminal.err(printable(message instanceof Error ? message.message : message)) };
}
