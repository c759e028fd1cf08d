import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { mapLimit } from "../../core/base/async";
import { planText, rulesText } from "../../core/cleanup/cleanupText";
import { shownVictims } from "../../core/cleanup/plan";
import { waitingText } from "../../core/cleanup/waiting";
import type { CheckpointRef, CommandId } from "../../core/contributions";
import { FlinkError, isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import type { CleanupRecord } from "../../core/ledger/record";
import type { Ledger } from "../../core/ledger/store";
import { checkpointsIn, type StateParameter } from "../../core/model/checkpoint";
import { isSameJob } from "../../core/model/job";
import { CheckpointHistory } from "../../core/overview/checkpointHistory";
import { overviewOf, type Overview } from "../../core/overview/overview";
import { aboutJobSchema, overviewPageParams, type AboutJob, type CleanupView, type OverviewAction, type OverviewPageApi, type OverviewPageEvents } from "../../core/overview/overviewPage";
import { TaskHistory } from "../../core/overview/taskHistory";
import type { Clock, Log, Run } from "../../core/ports";
import { clusterSentence, oneLine } from "../../core/rowText";
import type { JobRow } from "../../core/rows";
import { serve, type WireError } from "../../core/rpc";
import { ageText, countText, savepointName, sizeText } from "../../core/wording";
import type { CleanupPreview, CleanupService } from "../../services/cleanup";
import type { ClusterService } from "../../services/clusters";
import type { JobService } from "../../services/jobs";
import type { ScheduleView } from "../../services/schedules";
import type { SavepointService } from "../../services/savepoints";
import { copyText } from "../commands/copy";
import { showPage, type PageFolder } from "../inspector/webviewPage";
import type { Notify } from "../platform/notify";
import { nodeId } from "../views/explorerRows";
import { overviewViewType } from "./registration";
import { scheduleLines } from "./scheduleLines";

/** What overviews need. */
export interface OverviewsWorld {
  readonly ledger: Ledger;
  readonly clusters: ClusterService;
  readonly jobs: JobService;
  readonly savepoints: SavepointService;
  cleanup(): Promise<CleanupService>;
  /** The schedules of a job, by its name. */
  schedules(cluster: string, jobName: string): Promise<readonly ScheduleView[]>;
  /** When files of schedules and rules changed. */
  onDidChangeFiles(listener: () => void): Disposable;
  readonly hasPairs: () => boolean;
  reveal(nodeId: string): Promise<boolean>;
  readonly pages: PageFolder;
  intervalMs(): number;
  readonly notify: Notify;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a panel holds besides what it shows. */
interface Held {
  readonly about: AboutJob;
  readonly history: CheckpointHistory;
  readonly tasks: TaskHistory;
  parameters: readonly StateParameter[];
  /** The previews that the page may act on, by mark. */
  readonly previews: Map<number, CleanupPreview>;
  marks: number;
  readonly life: AbortSignal;
}

/** Pages of jobs: one each, looked at again while it is in sight. */
export class Overviews {
  readonly #world: OverviewsWorld;
  readonly #panels = new Map<string, { readonly panel: vscode.WebviewPanel; show(tab: AboutJob["tab"]): void }>();

  constructor(world: OverviewsWorld) {
    this.#world = world;
  }

  /** Fills a panel that VS Code remembered. */
  revive(panel: vscode.WebviewPanel, state: unknown): void {
    const kept = aboutJobSchema.safeParse(typeof state === "object" && state !== null && "about" in state ? state.about : undefined);
    if (kept.success) this.#fill(panel, kept.data);
    // A panel of another version has nothing to show.
    else panel.dispose();
  }

  show(about: AboutJob): void {
    const open = this.#panels.get(keyOf(about));
    if (open === undefined) return this.#fill(vscode.window.createWebviewPanel(overviewViewType, about.jobName, vscode.ViewColumn.Active), about);
    open.panel.reveal();
    open.show(about.tab);
  }

  #fill(panel: vscode.WebviewPanel, about: AboutJob): void {
    const { pages, log, ledger, jobs, clock } = this.#world;
    const held = new DisposableStore();
    const life = new AbortController();
    const state: Held = { about, history: new CheckpointHistory(), tasks: new TaskHistory(), parameters: [], previews: new Map(), marks: 0, life: life.signal };
    panel.title = oneLine(about.jobName, 60);
    const server = held.add(serve<OverviewPageApi, OverviewPageEvents>(showPage(panel.webview, pages, "overview", "Job"), {
      about: () => Promise.resolve(about),
      overview: async (_params, signal) => {
        await this.#look(state, signal);
        return this.#view(state);
      },
      tasks: async (params, signal) => {
        const { checkpointId } = overviewPageParams.tasks.parse(params);
        return (await this.#world.clusters.client(about.job.cluster).checkpointTasks(about.job.jobId, checkpointId, signal)) ?? null;
      },
      taskHistory: async (_params, signal) => {
        const client = this.#world.clusters.client(about.job.cluster);
        await mapLimit(state.tasks.missing(checkpointsIn(jobs.observation(about.job)?.overview)), 4, async (stats) => state.tasks.add(stats, await client.checkpointTasks(about.job.jobId, stats.checkpointId, signal)));
        return state.tasks.all();
      },
      cleanup: async (_params, signal) => this.#cleanup(state, signal),
      runCleanup: async (params, signal) => this.#runCleanup(state, overviewPageParams.runCleanup.parse(params).mark, signal),
      switchCleanup: async (params, signal) => {
        const { mark, on } = overviewPageParams.switchCleanup.parse(params);
        await (await this.#world.cleanup()).agree(jobOfPanel(about), on ? previewOf(state, mark).plan.rules : null);
        return this.#cleanup(state, signal);
      },
      undo: async (params) => {
        const back = await (await this.#world.cleanup()).undo(overviewPageParams.undo.parse(params).recordId);
        return `${savepointName(back)} is back where Flink wrote it, and pinned, so that rules leave it alone.`;
      },
      retry: async (params, signal) => {
        await (await this.#world.cleanup()).retry(overviewPageParams.retry.parse(params).recordId, quiet(signal));
        return "Done.";
      },
      run: async (params) => {
        const { action, key } = overviewPageParams.run.parse(params);
        await this.#run(state, action, key);
        return null;
      },
      copy: async (params) => {
        const { what, text } = overviewPageParams.copy.parse(params);
        await copyText(what, text);
        return null;
      },
    }, (error) => wireError(error, log)));
    const tell = (): void => {
      if (panel.visible) void this.#view(state).then((view) => server.emit("changed", view), (error: unknown) => log.warn("the page of a job", error));
    };
    held.add(ledger.onDidChange(tell));
    held.add(jobs.onDidChange((job) => isSameJob(job, about.job) && tell()));
    held.add(panel.onDidChangeViewState(tell));
    held.add(this.#world.onDidChangeFiles(tell));
    // Nothing is asked while the panel is hidden.
    const again = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(Math.max(1_000, this.#world.intervalMs()), life.signal);
        if (panel.visible && vscode.window.state.focused) await this.#look(state, life.signal).catch(() => undefined).then(tell);
      }
    };
    again().catch(() => undefined);
    const entry = { panel, show: (tab: AboutJob["tab"]) => server.emit("show", { tab }) };
    this.#panels.set(keyOf(about), entry);
    panel.onDidDispose(() => {
      if (this.#panels.get(keyOf(about)) === entry) this.#panels.delete(keyOf(about));
      life.abort();
      held.dispose();
    });
  }

  /** Asks Flink for what the page shows. Never throws but when aborted: the page says what could not be asked. */
  async #look(state: Held, signal: AbortSignal): Promise<void> {
    const { clusters, jobs, log } = this.#world;
    const { job } = state.about;
    if (clusters.get(job.cluster)?.reach.state !== "online") await clusters.refresh(job.cluster, signal);
    await jobs.observe(job, signal);
    state.history.see(checkpointsIn(jobs.observation(job)?.overview));
    if (state.parameters.length > 0 || jobs.observation(job)?.error !== null) return;
    state.parameters = await clusters.client(job.cluster).stateParameters(job.jobId, signal).catch((error: unknown) => {
      log.debug("asking for parameters", error);
      return [];
    });
  }

  async #view({ about: { job, jobName }, history, parameters }: Held): Promise<Overview> {
    const { clusters, jobs, savepoints, ledger, clock, hasPairs } = this.#world;
    const view = clusters.get(job.cluster);
    const observation = jobs.observation(job);
    const rows = await jobs.rows(job.cluster);
    const row: JobRow = rows.find(({ jobId }) => jobId === job.jobId) ?? { cluster: job.cluster, jobId: job.jobId, name: jobName, state: "gone", startTimeMs: null, endTimeMs: null, tasks: null, operations: [], latestSavepoint: null, restoredFrom: null };
    const reach = view?.reach;
    const error = reach?.state === "offline" ? reach.error : observation?.error ?? null;
    return overviewOf({
      row, clusterName: view?.profile.name ?? job.cluster, flinkVersion: reach?.state === "online" ? reach.info.version.text : null, records: await ledger.all(),
      statistics: observation?.overview, config: observation?.config, checkpoints: history.all(), error: error === null || isFlinkError(error, "job-not-found") ? null : clusterSentence(error, job.cluster),
      expectedMs: await savepoints.expectedMs(job), parameters, schedules: scheduleLines(await this.#world.schedules(job.cluster, row.name), clock.now()), cleanup: await this.#cleanupLine(row.name, job.cluster), hasPairs: hasPairs(), nowMs: clock.now(),
    });
  }

  /** How cleanup of the job stands, in one line, from what is set and written down; `key` is another when a preview of before no longer holds. */
  async #cleanupLine(jobName: string, cluster: string): Promise<{ readonly text: string; readonly key: string }> {
    const service = await this.#world.cleanup();
    const { set, isAgreed, record, aside, failed } = await service.state({ cluster, jobName });
    const rules = set.rules === null ? "no rule for this job" : `${rulesText(set.rules)}${!set.enabled ? ", switched off" : isAgreed ? "" : ", waiting for its preview to be seen here"}`;
    const text = [rules, lastRunText(record, this.#world.clock.now()), aside.length > 0 ? `${countText(aside.length, "savepoint")} can be put back` : null, failed.length > 0 ? `${failed.length} could not be removed` : null].filter((part) => part !== null).join(" · ");
    return { text, key: JSON.stringify([set, isAgreed]) };
  }

  async #cleanup(state: Held, signal: AbortSignal): Promise<CleanupView> {
    const { clock } = this.#world;
    const preview = await (await this.#world.cleanup()).preview(jobOfPanel(state.about), quiet(signal));
    const mark = ++state.marks;
    state.previews.clear();
    state.previews.set(mark, preview);
    const { plan, state: { set, isAgreed, record, aside, failed, removed } } = preview;
    return { mark, rules: set.rules, source: set.source, isEnabled: set.enabled, isAgreed, atMs: plan.atMs, rows: plan.rows, pauseMs: plan.pauseMs, lastRun: lastRunText(record, clock.now()), aside, failed, removed: removed.slice(0, 200) };
  }

  async #runCleanup(state: Held, mark: number, signal: AbortSignal): Promise<string> {
    const { plan } = previewOf(state, mark);
    const shown = shownVictims(plan);
    const forGood = plan.rows.filter(({ removal }) => removal === "at-once").length;
    const lasting = forGood === 0 ? "They are moved aside and can be put back for a while." : forGood === shown.length ? "This cannot be undone." : `${forGood} of them for good; the others are moved aside and can be put back for a while.`;
    const names = plan.rows.filter(({ spares }) => spares.length === 0).map(({ record }) => `• ${savepointName(record)} · ${ageText(record.requestedAtMs, plan.atMs)}${record.sizeBytes === null ? "" : ` · ${sizeText(record.sizeBytes)}`}`);
    const listed = names.length > 15 ? [...names.slice(0, 15), `• ${countText(names.length - 15, "more savepoint")}`] : names;
    if (!(await this.#world.notify.confirm({ title: `Remove ${countText(shown.length, "savepoint")} of ${oneLine(state.about.jobName, 80)}?`, detail: [planText(plan), listed.join("\n"), lasting].join("\n\n"), button: "Remove" }))) return "Nothing was removed.";
    const { removed, failed, plan: now } = await (await this.#world.cleanup()).run(jobOfPanel(state.about), shown, quiet(AbortSignal.any([signal, state.life])));
    const spared = shown.length - removed.length - failed.length;
    const changed = now.rows.filter(({ record, spares }) => spares.length > 0 && shown.some(({ recordId }) => recordId === record.id)).map(({ record }) => savepointName(record));
    return [`${countText(removed.length, "savepoint")} removed.`, failed.length > 0 ? `${failed.length} could not be: see below.` : "", spared > 0 ? `${changed.join(", ")} changed since the preview and stayed.` : ""].filter((part) => part !== "").join(" ");
  }

  async #run(state: Held, action: OverviewAction, key: string | null): Promise<void> {
    const { job, jobName } = state.about;
    const { ledger, clusters } = this.#world;
    const call = async (command: CommandId, target?: object): Promise<void> => void (await vscode.commands.executeCommand(command, target));
    switch (action) {
      case "trigger": return call("flinkSavepoints.trigger", job);
      case "stop": return call("flinkSavepoints.stop", job);
      case "restoreAny": return call("flinkSavepoints.restore", clusters.get(job.cluster) === undefined ? undefined : { cluster: job.cluster });
      case "showPairs": return call("flinkSavepoints.showPairs", job);
      case "openWebUi": return call("flinkSavepoints.openWebUi", job);
      case "newSchedule": case "openSchedules": return void (await vscode.commands.executeCommand(`flinkSavepoints.${action}`, job));
      default: {
        const target = key === null ? undefined : await this.#target(state, key);
        if (target === undefined) throw new FlinkError("refused", { verb: "used", subject: `This row of ${jobName}`, refusals: [{ rule: "no-path" }] });
        if (action === "revealRow") {
          const record = "recordId" in target ? await ledger.get(target.recordId) : undefined;
          if (record?.kind === "savepoint") await this.#world.reveal(nodeId.savepoint({ cluster: record.cluster.url, jobId: record.job.id }, record.id));
          return undefined;
        }
        return call(`flinkSavepoints.${action}`, target);
      }
    }
  }

  async #target({ about: { job }, history }: Held, key: string): Promise<{ readonly recordId: string } | CheckpointRef | undefined> {
    const checkpoint = history.all().find((stats) => key === `chk-${job.jobId}-${stats.checkpointId}`);
    if (checkpoint !== undefined) return checkpoint.path === null ? undefined : { ...job, path: checkpoint.path, checkpointId: checkpoint.checkpointId };
    const record = await this.#world.ledger.get(key);
    return record?.kind === "savepoint" ? { recordId: record.id } : undefined;
  }
}

/** The preview that a page acts on; an older one than the last it got is not acted on. */
function previewOf({ previews, about }: Held, mark: number): CleanupPreview {
  const preview = previews.get(mark);
  if (preview === undefined) throw new FlinkError("refused", { verb: "cleaned up after", subject: about.jobName, refusals: [{ rule: "preview-outdated" }] });
  return preview;
}

function jobOfPanel({ job, jobName }: AboutJob): { readonly cluster: string; readonly jobName: string } {
  return { cluster: job.cluster, jobName };
}

function lastRunText(record: CleanupRecord | null, nowMs: number): string | null {
  const run = record?.lastRun ?? null;
  if (run === null) return null;
  const when = `Last run ${ageText(run.atMs, nowMs)}${run.why === "scheduled" ? ", by itself" : ""}`;
  const waiting = run.waiting ?? null;
  if (waiting !== null) return `${when}. ${waitingText(waiting, { preview: "the preview" })}`;
  if (run.held !== null) return `${when}: held back, ${run.held === "pause" ? "since the job had paused for longer than the age rule" : "since nobody here has seen what these rules do"}.`;
  return `${when}: ${countText(run.removed, "savepoint")} removed, ${sizeText(run.freedBytes)}${run.failed > 0 ? `, ${run.failed} failed` : ""}.`;
}

function quiet(signal: AbortSignal): Run {
  return { signal, report: () => undefined };
}

function keyOf({ job, jobName }: AboutJob): string {
  return `${job.cluster} ${jobName}`;
}

function wireError(error: unknown, log: Log): WireError {
  if (isFlinkError(error)) return { code: error.code, sentence: explain(error).message };
  log.error("the page of a job", error);
  return { code: "unexpected", sentence: "Something unexpected went wrong. The log has the details." };
}
