import * as vscode from "vscode";
import { DisposableStore } from "../../core/base/disposable";
import type { PaimonSnapshotRef } from "../../core/contributions";
import { FlinkError, isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import { isUsable, type SavepointRecord } from "../../core/ledger/record";
import type { Ledger } from "../../core/ledger/store";
import { parseFlinkVersion, type FlinkVersion } from "../../core/model/version";
import { isSameJob, isTerminal } from "../../core/model/job";
import { jobOf } from "../../core/ledger/record";
import { callStatement, tableAddress } from "../../core/paimon/actions";
import { aboutBoardSchema, boardView, columnKey, pairsPageParams, type AboutBoard, type BoardSource, type BoardVerbs, type BoardView, type PairAction, type PairsPageApi, type PairsPageEvents } from "../../core/paimon/boardPage";
import { pinName } from "../../core/paimon/ourNames";
import type { SinkPair } from "../../core/paimon/savepointPairs";
import type { Clock, Log } from "../../core/ports";
import { serve, type WireError } from "../../core/rpc";
import type { ClusterService } from "../../services/clusters";
import type { JobService } from "../../services/jobs";
import { pairedPlace, type PairService } from "../../services/pairs";
import type { WarehouseService } from "../../services/warehouses";
import { copyText } from "../commands/copy";
import { pairedJob } from "../views/explorerSource";
import { showPage, type PageFolder } from "../inspector/webviewPage";
import { boardViewType } from "./registration";

/** What boards need. */
export interface BoardsWorld {
  readonly ledger: Ledger;
  readonly clusters: ClusterService;
  readonly jobs: JobService;
  readonly pairs: PairService;
  readonly warehouses: WarehouseService;
  readonly pages: PageFolder;
  readonly clock: Clock;
  readonly log: Log;
}

/** Savepoints of a job that a board shows, the newest. */
const mostSavepoints = 50;
/** Pairs of a board in sight are looked at again after so long. */
const freshMs = 15_000;

/** Boards: the savepoints of a job over all Paimon tables that it writes. */
export class PairBoards {
  readonly #world: BoardsWorld;
  readonly #panels = new Map<string, vscode.WebviewPanel>();

  constructor(world: BoardsWorld) {
    this.#world = world;
  }

  /** Fills a panel that VS Code remembered. */
  revive(panel: vscode.WebviewPanel, state: unknown): void {
    const kept = aboutBoardSchema.safeParse(typeof state === "object" && state !== null && "about" in state ? state.about : undefined);
    if (kept.success) this.#fill(panel, kept.data);
    // A panel of another version has nothing to show.
    else panel.dispose();
  }

  show(about: AboutBoard): void {
    const open = this.#panels.get(keyOf(about));
    if (open !== undefined) return open.reveal();
    this.#fill(vscode.window.createWebviewPanel(boardViewType, `Pairs of ${about.jobName}`, vscode.ViewColumn.Active), about);
  }

  #fill(panel: vscode.WebviewPanel, about: AboutBoard): void {
    const { pages, log, pairs, ledger, clock } = this.#world;
    const held = new DisposableStore();
    const life = new AbortController();
    panel.title = `Pairs of ${about.jobName}`;
    const server = held.add(serve<PairsPageApi, PairsPageEvents>(showPage(panel.webview, pages, "pairs", "Pairs"), {
      board: async () => {
        void this.#lookAtAll(about, life.signal);
        return this.#view(about);
      },
      about: () => Promise.resolve(about),
      run: async (params) => {
        const { action, recordId, column } = pairsPageParams.run.parse(params);
        await this.#run(about, action, recordId, column);
        return null;
      },
      copy: async (params) => {
        const { what, text } = pairsPageParams.copy.parse(params);
        await copyText(what, text);
        return null;
      },
    }, (error) => wireError(error, log)));
    const tell = (): void => void this.#view(about).then((view) => server.emit("changed", view), (error: unknown) => log.warn("the board of pairs", error));
    held.add(pairs.onDidChange(tell));
    held.add(ledger.onDidChange(tell));
    // Nothing is read while the panel is hidden.
    const again = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(freshMs, life.signal);
        if (panel.visible) await this.#lookAtAll(about, life.signal).then(tell);
      }
    };
    again().catch(() => undefined);
    const key = keyOf(about);
    this.#panels.set(key, panel);
    panel.onDidDispose(() => {
      if (this.#panels.get(key) === panel) this.#panels.delete(key);
      life.abort();
      held.dispose();
    });
  }

  async #savepoints({ job, jobName }: AboutBoard): Promise<readonly SavepointRecord[]> {
    const records = (await this.#world.ledger.all()).filter((record): record is SavepointRecord => record.kind === "savepoint" && isUsable(record) && !record.forgotten);
    // A job that was restored has another id and, as a rule, its name.
    return records.filter((record) => isSameJob(jobOf(record), job) || (record.cluster.url === job.cluster && record.job.name === jobName)).sort((a, b) => b.requestedAtMs - a.requestedAtMs);
  }

  async #lookAtAll(about: AboutBoard, signal: AbortSignal): Promise<void> {
    for (const record of (await this.#savepoints(about)).slice(0, mostSavepoints)) {
      const place = pairedPlace(record);
      if (place !== undefined && !signal.aborted) await this.#world.pairs.pairsOf(place, freshMs, signal, "later").catch((error: unknown) => this.#world.log.debug("pairing", error));
    }
  }

  async #view(about: AboutBoard): Promise<BoardView> {
    const { pairs, jobs, clock, clusters } = this.#world;
    const savepoints = await this.#savepoints(about);
    const sources = savepoints.slice(0, mostSavepoints).map((record): BoardSource => ({ record, pairs: pairs.known(record.path ?? ""), failure: pairs.failure(record.path ?? "") }));
    const cluster = clusters.get(about.job.cluster)?.profile.name ?? about.job.cluster;
    return boardView(about, cluster, sources, Math.max(0, savepoints.length - mostSavepoints), this.#verbs(about), pairedJob({ clusters, jobs }, about.job), clock.now());
  }

  #verbs({ job }: AboutBoard): BoardVerbs {
    const view = this.#world.clusters.get(job.cluster);
    const runs = view?.jobs.some(({ jobId, state }) => jobId === job.jobId && !isTerminal(state)) === true;
    const canTrigger = view?.reach.state === "online" && view.reach.info.capabilities.checkpointTrigger;
    return { checkpoint: runs && canTrigger };
  }

  async #run(about: AboutBoard, action: PairAction, recordId: string, column: string | null): Promise<void> {
    const record = (await this.#savepoints(about)).find(({ id }) => id === recordId);
    if (record === undefined) throw new FlinkError("refused", { verb: "used", subject: "This savepoint", refusals: [{ rule: "no-path" }] });
    const pair = this.#world.pairs.known(record.path ?? "")?.pairs.find((each) => columnKey(each) === column);
    switch (action) {
      case "inspect": return void (await vscode.commands.executeCommand("flinkSavepoints.inspect", { recordId }));
      case "rollback": return void (await vscode.commands.executeCommand("flinkSavepoints.rollback", { recordId }));
      case "checkpoint": return void (await vscode.commands.executeCommand("flinkSavepoints.triggerCheckpoint", jobOf(record)));
      case "look": {
        const place = pairedPlace(record);
        if (place !== undefined) await this.#world.pairs.pairsOf(place, 0);
        return;
      }
      default: {
        if (pair === undefined) return;
        if (action === "openTag") return void (await vscode.commands.executeCommand("flinkSavepoints.openPaimon", { ...pair.place, tag: pair.pairing.tags[0]?.name }));
        if (action === "sql") return copyText("statement", this.#statement(about, record, pair));
        const ref = snapshotRef(pair);
        if (ref !== undefined) await vscode.commands.executeCommand("flinkSavepoints.createTag", { ...ref, tagName: action === "pin" || pair.pairing.decoy !== null ? pinName(record.job.id, record.checkpointId) : `savepoint-${record.checkpointId ?? ""}` });
      }
    }
  }

  /** The statement that goes back to the pair's tag, or that tags its snapshot where there is none. */
  #statement({ job }: AboutBoard, record: SavepointRecord, { place, pairing: { tags, snapshot } }: SinkPair): string {
    if (place === null || snapshot === null) return "";
    const reach = this.#world.clusters.get(job.cluster)?.reach;
    const version: FlinkVersion = reach?.state === "online" ? reach.info.version : (parseFlinkVersion(record.flinkVersion) ?? { major: 1, minor: 20, text: "1.20" });
    const { catalog } = this.#world.warehouses.profile(place.warehouse);
    const tag = tags[0]?.name;
    const statement = callStatement(catalog, tableAddress(place.table), tag === undefined ? { kind: "create-tag", tag: `savepoint-${record.checkpointId ?? ""}`, snapshotId: snapshot.id, retainedMs: null } : { kind: "roll-back", tag }, version);
    return statement === undefined ? `-- Flink ${version.text} has no CALL.` : `${statement};`;
  }
}

function snapshotRef({ place, pairing: { snapshot } }: SinkPair): PaimonSnapshotRef | undefined {
  return place === null || snapshot === null ? undefined : { ...place, snapshotId: snapshot.id };
}

function keyOf({ job, jobName }: AboutBoard): string {
  return `${job.cluster} ${jobName}`;
}

function wireError(error: unknown, log: Log): WireError {
  if (isFlinkError(error)) return { code: error.code, sentence: explain(error).message };
  log.error("the board of pairs", error);
  return { code: "unexpected", sentence: "Something unexpected went wrong. The log has the details." };
}
