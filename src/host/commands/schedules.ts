import * as vscode from "vscode";
import type { JobRef } from "../../core/model/job";
import type { ScheduleRef } from "../../core/contributions";
import { isFlinkError } from "../../core/errors";
import { emptyLifecycleFile, isEditable, withSchedule, type WrittenSchedule } from "../../core/lifecycle/editLifecycleFile";
import { lifecycleFileName } from "../../core/lifecycle/fileName";
import { scheduleSchema, type Schedule } from "../../core/lifecycle/lifecycleFile";
import { readLifecycleFile, type PlacedSchedule } from "../../core/lifecycle/readLifecycleFile";
import { isTerminal } from "../../core/model/job";
import { joinText, oneLine } from "../../core/rowText";
import { cronFields, cronRanges, readCron, type CronFieldName } from "../../core/schedule/cron";
import { isTimeZone } from "../../core/schedule/cronRuns";
import { cronFaultText, cronMeaning } from "../../core/schedule/cronText";
import { presets } from "../../core/schedule/presets";
import { previewOf } from "../../core/schedule/preview";
import { scheduleKey, tickDescription, type ScheduleInForce } from "../../core/schedule/tick";
import { timeInZone } from "../../core/schedule/zoneTime";
import { completedText, cancelOnlyStopsWaiting, leaveToFlink, nextVerbs, orError, waitFor } from "./outcomes";
import { clusterName, jobSummary, pickJob } from "./pick";
import { askDirectory, askFormat } from "./savepointSteps";
import { askInSteps, type Choice, type Remark, type Steps } from "./steps";
import type { CommandWorld } from "./world";

/** *New Schedule*: how often, in which zone, what it looks like, where it is written; then the file has it and the job's row shows it (A-9). */
export async function newSchedule(world: CommandWorld, target?: JobRef): Promise<void> {
  const lifecycle = await world.lifecycle();
  const plan = await askInSteps("New Schedule", null, async (ask) => {
    const job = target ?? (await pickJob(ask, world, "schedule"));
    const name = job && (jobSummary(world, job)?.name ?? (await world.jobs.rows(job.cluster)).find(({ jobId }) => jobId === job.jobId)?.name);
    if (job === undefined || name === undefined) return undefined;
    ask.title = `Schedule savepoints of ${oneLine(name, 80)}`;
    const timing = await askTiming(ask, world, undefined);
    const rest = await askRest(ask, world, job.cluster, undefined);
    const taken = lifecycle.schedules.schedules.filter(({ cluster, schedule }) => cluster === job.cluster && schedule.job === name).map(({ schedule }) => schedule.name);
    const called = await askName(ask, timing.name, taken);
    const uri = await askFile(ask, world);
    return { uri, schedule: { name: called, cluster: job.cluster, job: name, cron: timing.cron, timeZone: timing.zone, ...rest } };
  });
  if (plan === undefined) return;
  await agreeTo(world, plan.schedule.cluster, plan.schedule, plan.uri);
  await write(world, plan.uri, undefined, plan.schedule);
  await lifecycle.read();
  const [view] = await lifecycle.schedules.views(lifecycle.schedules.schedules.filter(({ schedule }) => schedule.name === plan.schedule.name && schedule.job === plan.schedule.job));
  const next = view?.nextMs === null || view === undefined ? "It does not run yet; the file says why." : `Next run: ${timeInZone(view.nextMs, view.inForce.schedule.timeZone)}.`;
  const ref: readonly ScheduleRef[] = view === undefined ? [] : [{ scheduleKey: view.inForce.key }];
  world.notify.done(`Savepoints of ${oneLine(plan.schedule.job, 80)} are scheduled. ${next} It runs only while VS Code runs; for a server, export it.`, [
    { title: "Open Schedules", command: "flinkSavepoints.openSchedules", args: ref as [ScheduleRef?] },
    { title: "Export Schedule…", command: "flinkSavepoints.exportSchedule", args: ref as [ScheduleRef?] },
  ]);
}

/** *Edit Schedule*: the same questions, with what it says now as answers. What they do not ask stays as it is. */
export async function editSchedule(world: CommandWorld, target?: ScheduleRef): Promise<void> {
  const found = await askSchedule(world, target, "Edit Schedule", "Which schedule is changed?", () => true);
  if (found === undefined) return;
  const { schedule } = found;
  const plan = await askInSteps(`Schedule ${oneLine(schedule.name, 60)} of ${oneLine(schedule.job, 60)}`, null, async (ask) => {
    const timing = await askTiming(ask, world, schedule);
    return { cron: timing.cron, timeZone: timing.zone, ...(await askRest(ask, world, found.cluster, schedule)) };
  });
  if (plan === undefined) return;
  await agreeTo(world, found.cluster, { ...found.schedule, ...plan }, uriOf(found.file));
  await change(world, found, plan);
}

/** *Agree to Schedule*: what it does, or what of it has changed; from then on it runs here. */
export async function agreeSchedule(world: CommandWorld, target?: ScheduleRef): Promise<void> {
  const { schedules, agreements } = await world.lifecycle();
  const aimed = target && schedules.waiting.find(({ key }) => key === target.scheduleKey);
  if (aimed === undefined && schedules.waiting.length === 0) return world.notify.refused("No schedule waits for your agreement.");
  const found = aimed ?? (await pickSchedule(world, schedules.waiting, "Agree to Schedule", "Which schedule may run here?"));
  if (found === undefined) return;
  const { schedule } = found;
  const read = readCron(schedule.cron).cron;
  const changes = agreements.changes(found);
  const says = [
    `Cluster: ${clusterName(world, found.cluster)}`, `Directory: ${schedule.directory ?? "the cluster's savepoint directory"}`, `When: ${read === undefined ? schedule.cron : cronMeaning(read)} (${schedule.timeZone})`,
    ...(read === undefined ? [] : [`Next runs: ${previewOf(read, schedule.timeZone, schedule.blackouts, world.clock.now(), 3).effective.map(({ time }) => time).join(", ")}`]),
    `Format: ${schedule.format}`,
  ];
  const detail = [...(changes === null ? [] : [`Changed since you agreed:\n${changes.map((line) => `• ${line}`).join("\n")}`]), says.join("\n"), `It takes savepoints while VS Code runs. When ${found.file} says something else, you are asked again.`].join("\n\n");
  if (!(await world.notify.confirm({ title: `Run schedule ${oneLine(schedule.name, 80)} of ${oneLine(schedule.job, 80)} here?`, detail, button: "Run Here" }))) return;
  await agreements.agree(found);
}

/** *Pause Schedule*. */
export async function pauseSchedule(world: CommandWorld, target?: ScheduleRef): Promise<void> {
  const found = await askSchedule(world, target, "Pause Schedule", "Which schedule is paused?", ({ schedule }) => schedule.enabled);
  if (found?.schedule.enabled === true) await change(world, found, { enabled: false });
}

/** *Resume Schedule*: what was due meanwhile is not made up for. */
export async function resumeSchedule(world: CommandWorld, target?: ScheduleRef): Promise<void> {
  const found = await askSchedule(world, target, "Resume Schedule", "Which schedule goes on?", ({ schedule }) => !schedule.enabled);
  if (found?.schedule.enabled === false) await change(world, found, { enabled: undefined });
}

/** *Run Schedule Now*: a savepoint as the schedule takes them, but by a person, so that no rule ever removes it (A-8). */
export async function runSchedule(world: CommandWorld, target?: ScheduleRef): Promise<void> {
  const found = await askSchedule(world, target, "Run Schedule Now", "Which schedule runs now?", () => true);
  if (found === undefined) return;
  const { schedule, cluster } = found;
  await world.clusters.refresh(cluster, AbortSignal.timeout(world.settings.current["requests.timeoutSeconds"] * 1_000));
  const jobs = (world.clusters.get(cluster)?.jobs ?? []).filter(({ name, state }) => name === schedule.job && !isTerminal(state));
  const name = oneLine(schedule.job, 80);
  const [job, second] = jobs;
  if (job === undefined) return world.notify.refused(`No job named ${name} runs on ${clusterName(world, cluster)}.`);
  if (second !== undefined) return world.notify.refused(`${jobs.length} jobs named ${name} run on ${clusterName(world, cluster)}, and which one is meant is not known. Use Trigger Savepoint on one of them.`);
  const sinceMs = world.clock.now();
  const ref: JobRef = { cluster, jobId: job.jobId };
  const record = await waitFor(world, `Savepoint of ${name} ${cancelOnlyStopsWaiting}`, (run) => orError(world.savepoints.trigger(ref, { directory: schedule.directory ?? null, format: schedule.format, description: tickDescription(schedule, sinceMs) }, run), "outcome-unknown"));
  if (record === undefined || isFlinkError(record)) return leaveToFlink(world, ref, sinceMs);
  world.notify.done(completedText(record), nextVerbs(record.id));
}

/** *Open Schedules*: the file, at the schedule's entry when one is meant. Asks which file when there are several; one that is not there is made. */
export async function openSchedules(world: CommandWorld, target?: ScheduleRef): Promise<void> {
  const lifecycle = await world.lifecycle();
  const found = target && lifecycle.schedules.schedules.find(({ key }) => key === target.scheduleKey);
  if (found !== undefined) return show(uriOf(found.file), found);
  const uri = await askInSteps("Open Schedules", 1, (ask) => askFile(ask, world));
  if (uri === undefined) return;
  if (!(await exists(uri))) await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(emptyLifecycleFile));
  await show(uri, undefined);
}

/** Asks for a schedule unless the verb was aimed at one. Resolves to undefined, and says so, when there is none. */
export async function askSchedule(world: CommandWorld, target: ScheduleRef | undefined, title: string, placeholder: string, can: (inForce: ScheduleInForce) => boolean): Promise<ScheduleInForce | undefined> {
  const { schedules } = (await world.lifecycle()).schedules;
  const aimed = target && schedules.find(({ key }) => key === target.scheduleKey);
  if (aimed !== undefined) return aimed;
  const fit = schedules.filter(can);
  if (fit.length === 0) {
    world.notify.refused(schedules.length === 0 ? "No schedule counts in this window." : "No schedule fits.", [{ title: "New Schedule…", command: "flinkSavepoints.newSchedule" }]);
    return undefined;
  }
  return pickSchedule(world, fit, title, placeholder);
}

function pickSchedule(world: CommandWorld, schedules: readonly ScheduleInForce[], title: string, placeholder: string): Promise<ScheduleInForce | undefined> {
  return askInSteps(title, 1, (ask) => ask.choose({
    placeholder, choices: schedules.map((inForce) => {
      const { schedule } = inForce;
      return { label: `$(calendar) ${oneLine(schedule.name, 80)}`, description: joinText(oneLine(schedule.job, 80), clusterName(world, inForce.cluster), schedule.enabled ? null : "paused"), value: inForce };
    }),
  }));
}

interface Timing {
  readonly cron: string;
  readonly zone: string;
  /** What such a schedule is called. */
  readonly name: string;
}

/** How often, in which zone; and shows what comes of it before going on. */
async function askTiming(ask: Steps, world: CommandWorld, now: Schedule | undefined): Promise<Timing> {
  const own: Choice<{ cron: string | null; name: string }>[] = now === undefined ? [] : [{ label: `$(check) ${meaningOf(now.cron)}`, description: `as it is: ${now.cron}`, value: { cron: now.cron, name: now.name } }];
  const chosen = await ask.choose({
    placeholder: "How often?",
    choices: [
      ...own, ...presets.filter(({ cron }) => cron !== now?.cron).map(({ label, cron, name }) => ({ label: `$(calendar) ${label}`, description: cron, value: { cron, name } })),
      { label: "$(edit) Cron expression…", description: "field by field", value: { cron: null, name: "scheduled" } },
    ],
  });
  let { cron } = chosen;
  if (cron === null) cron = await askCron(ask, now?.cron);
  const zone = await askZone(ask, now?.timeZone);
  const read = readCron(cron).cron;
  if (read !== undefined) {
    const { declared, effective, warning } = previewOf(read, zone, now?.blackouts ?? [], world.clock.now(), 10);
    const rows = [
      ...effective.map(({ time }) => ({ label: `$(calendar) ${time}`, group: `next runs (${zone})`, value: true })),
      ...(warning === null ? [] : declared.map(({ time, leftOut }) => ({ label: `${leftOut === null ? "$(calendar)" : "$(circle-slash)"} ${time}`, ...(leftOut === null ? {} : { description: `left out: ${leftOut}` }), group: "as the expression declares them", value: true }))),
    ];
    await ask.choose({ placeholder: warning ?? `${cronMeaning(read)} (${zone})`, choices: [{ label: "$(check) Use this", description: warning === null ? cron : cronMeaning(read), value: true }, ...rows] });
  }
  return { cron, zone, name: chosen.name };
}

const fieldPrompts: Record<CronFieldName, string> = {
  "minute": "Minute, 0 to 59.", "hour": "Hour, 0 to 23.", "day-of-month": "Day of the month, 1 to 31.", "month": "Month, 1 to 12 or JAN to DEC.", "day-of-week": "Day of the week, 1 = Monday to 7 = Sunday, or MON to SUN.",
};
const fieldStarts: Record<CronFieldName, string> = { "minute": "0", "hour": "*", "day-of-month": "*", "month": "*", "day-of-week": "*" };

/** The five fields one by one; each is checked as it is typed, and `?` counts as `*` (A-12 to A-19). */
async function askCron(ask: Steps, now: string | undefined): Promise<string> {
  const before = now?.split(" ") ?? [];
  const parts: string[] = [];
  const { title } = ask;
  for (const [at, field] of cronFields.entries()) {
    const { min } = cronRanges[field];
    // What is said of a text that is typed stands where the prompt stood.
    ask.title = `${title}: ${field.replaceAll("-", " ")}`;
    const text = await ask.enter({
      prompt: `${fieldPrompts[field]} * for every one, a list ${min},${min + 2}, a range ${min}-${min + 4}, or a start and a step, ${min}/${field === "month" ? 3 : 5}.`,
      placeholder: fieldStarts[field], initial: before[at] ?? fieldStarts[field], check: (typed) => fieldRemark(field, typed, parts),
    });
    parts.push(text.replaceAll("?", "*"));
  }
  ask.title = title;
  return parts.join(" ");
}

function fieldRemark(field: CronFieldName, typed: string, before: readonly string[]): Remark | undefined {
  if (typed === "" || /\s/.test(typed)) return { severity: "error", text: typed === "" ? `${fieldPrompts[field]} * leaves it to the other fields.` : "One field at a time, without blanks." };
  const parts = [...before, typed.replaceAll("?", "*")];
  const filled = cronFields.map((_, at) => parts[at] ?? "*");
  const { cron, faults } = readCron(filled.join(" "));
  const fault = faults.find((each) => each.field === field || (each.field === "day-of-month" && each.code === "never" && parts.length > 3));
  if (fault !== undefined) return { severity: "error", text: cronFaultText(fault) };
  if (typed.includes("?")) return { severity: "warning", text: "? is not supported and is written as *." };
  return cron === undefined ? undefined : { severity: "information", text: `${cronMeaning(cron)}.` };
}

function meaningOf(text: string): string {
  const { cron } = readCron(text);
  return cron === undefined ? text : cronMeaning(cron);
}

function askZone(ask: Steps, now: string | undefined): Promise<string> {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const first = [...new Set([...(now === undefined ? [] : [now]), here, "UTC"])].filter(isTimeZone);
  const why = (zone: string): string => joinText(zone === now && "as it is", zone === here && "of this machine", timeInZone(Date.UTC(2027, 0, 1), zone).split(" ").at(-1) ?? null);
  const others = Intl.supportedValuesOf("timeZone").filter((zone) => !first.includes(zone));
  return ask.choose({
    placeholder: "In which time zone? Where clocks change, a run in the hour that is left out comes as much later; one in the hour that comes twice comes once.",
    choices: [...first.map((zone) => ({ label: `$(globe) ${zone}`, description: why(zone), value: zone })), ...others.map((zone) => ({ label: `$(globe) ${zone}`, group: "all time zones", value: zone }))],
  });
}

/** Format, directory, and what happens when the job is busy; what is as usual is not written. */
async function askRest(ask: Steps, world: CommandWorld, cluster: string, now: Schedule | undefined): Promise<{ readonly format: "native" | undefined; readonly directory: string | undefined; readonly whenBusy: "skip" | undefined }> {
  const format = await askFormat(ask);
  const info = await ask.wait("Looking at the cluster", (signal) => world.clusters.info(cluster, signal).catch(() => undefined));
  const recent = await world.jobs.recentDirectories(cluster);
  const own = now?.directory;
  const directory = info === undefined ? (own ?? null) : await askDirectory(ask, { cluster, clusterName: clusterName(world, cluster), info, recent: own === undefined ? recent : [own, ...recent.filter((each) => each !== own)] });
  const whenBusy = await ask.choose<"wait" | "skip">({
    placeholder: "When another savepoint of the job is under way?",
    choices: [
      { label: "Wait for its end", description: "at most until the next run", value: "wait" },
      { label: "Skip this run", value: "skip" },
    ],
  });
  return { format: format === "canonical" ? undefined : format, directory: directory ?? undefined, whenBusy: whenBusy === "wait" ? undefined : whenBusy };
}

function askName(ask: Steps, suggested: string, taken: readonly string[]): Promise<string> {
  let initial = suggested;
  for (let number = 2; taken.includes(initial); number++) initial = `${suggested} ${number}`;
  return ask.enter({
    prompt: "What is the schedule called? It stands on the row and in the ledger.", placeholder: "such as: nightly", initial,
    check: (text) => (text === "" ? { severity: "error", text: "A name is needed." } : text.length > 80 ? { severity: "error", text: "At most 80 characters." } : taken.includes(text) ? { severity: "error", text: "Another schedule of this job has this name." } : undefined),
  });
}

/** The file to write to: a workspace's, for a team to commit, or the user's own. */
async function askFile(ask: Steps, world: CommandWorld): Promise<vscode.Uri> {
  const sources = (await world.lifecycle()).sources.list();
  const folders = sources.filter(({ level }) => level === "workspace");
  return ask.choose({
    placeholder: folders.length === 0 && (vscode.workspace.workspaceFolders?.length ?? 0) > 0 ? "Where? A workspace that is not trusted schedules nothing." : "Where is it written?",
    choices: sources.map(({ uri, level }) => (level === "workspace"
      ? { label: `$(repo) ${lifecycleFileName}`, description: `in ${vscode.workspace.asRelativePath(vscode.Uri.joinPath(uri, ".."), true)}, for a team to commit`, value: uri }
      : { label: "$(account) Only for me", description: "in the extension's own storage", value: uri })),
  });
}

async function change(world: CommandWorld, found: ScheduleInForce, changes: { readonly [K in keyof WrittenSchedule]?: WrittenSchedule[K] | undefined }): Promise<void> {
  await write(world, uriOf(found.file), found, changes);
  await (await world.lifecycle()).read();
}

/** Changes the file, as the editor has it, and saves it. A file that is no JSON is opened instead. */
async function write(world: CommandWorld, uri: vscode.Uri, found: ScheduleInForce | undefined, changes: { readonly [K in keyof WrittenSchedule]?: WrittenSchedule[K] | undefined }): Promise<void> {
  if (!(await exists(uri))) await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(emptyLifecycleFile));
  const document = await vscode.workspace.openTextDocument(uri);
  const text = document.getText();
  const placed = found && entryOf(text, found);
  if (!isEditable(text) || (found !== undefined && placed === undefined)) {
    await vscode.window.showTextDocument(document);
    return world.notify.refused(found === undefined ? "The file is no JSON, so nothing was written. Mend it and try again." : `The file does not hold the schedule ${oneLine(found.schedule.name, 80)} any more as it was read, so nothing was written.`);
  }
  const edit = new vscode.WorkspaceEdit();
  edit.replace(uri, new vscode.Range(document.positionAt(0), document.positionAt(text.length)), withSchedule(text, placed?.index, changes));
  await vscode.workspace.applyEdit(edit);
  await document.save();
}

/** Whoever answered the questions agrees to the answers, before they are in the file. */
async function agreeTo(world: CommandWorld, cluster: string, written: { readonly [K in keyof WrittenSchedule]?: WrittenSchedule[K] | undefined }, uri: vscode.Uri): Promise<void> {
  const schedule = scheduleSchema.parse(written);
  await (await world.lifecycle()).agreements.agree({ key: scheduleKey(cluster, schedule), cluster, schedule, file: uri.fsPath });
}

function entryOf(text: string, { schedule }: ScheduleInForce): PlacedSchedule | undefined {
  return readLifecycleFile(text).schedules.find((placed) => placed.schedule.name === schedule.name && placed.schedule.job === schedule.job && placed.schedule.cluster === schedule.cluster);
}

async function show(uri: vscode.Uri, found: ScheduleInForce | undefined): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  const placed = found && entryOf(document.getText(), found);
  const at = placed && document.positionAt(placed.cron.offset);
  await vscode.window.showTextDocument(document, at === undefined ? {} : { selection: new vscode.Range(at, at) });
}

function uriOf(file: string): vscode.Uri {
  return file.includes("://") ? vscode.Uri.parse(file) : vscode.Uri.file(file);
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return Promise.resolve(vscode.workspace.fs.stat(uri)).then(() => true, () => false);
}
