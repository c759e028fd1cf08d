import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { contextKeys, views } from "../../core/contributions";
import type { JobRef } from "../../core/model/job";
import { isTerminal } from "../../core/model/job";
import type { Clock } from "../../core/ports";
import { nodeId, renderRow, type ExplorerNode } from "./explorerRows";
import { ExplorerSource, type SourceWorld } from "./explorerSource";
import { renderTooltip } from "./explorerTooltips";
import type { Operations } from "./operations";
import { paimonId } from "./paimonSource";
import { every, Polling, type PollTarget } from "./polling";
import type { Row } from "./row";
import type { ScheduleRows } from "./scheduleRows";
import { TreeView } from "./treeView";

/** What the explorer shows and follows. */
export interface ExplorerWorld extends SourceWorld {
  readonly operations: Operations;
  readonly schedules: ScheduleRows;
  /** Pace of polling while something changes, milliseconds. */
  intervalMs(): number;
  readonly clock: Clock;
}

/** A row as plain data, for tests. */
export interface RowData extends Omit<Row, "click"> {
  readonly id: string;
  /** What a click runs. */
  readonly command: string | null;
  readonly tooltip: string;
}

/** The explorer: the tree, what keeps it current, and what verbs may do with it. */
export class Explorer implements Disposable {
  readonly #world: ExplorerWorld;
  readonly #source: ExplorerSource;
  readonly #view: TreeView<ExplorerNode>;
  readonly #polling: Polling;
  readonly #held = new DisposableStore();
  readonly #due = new Set<string>();
  #ticking: Disposable | undefined;
  #click = { row: "", atMs: 0 };

  constructor(world: ExplorerWorld) {
    this.#world = world;
    this.#source = new ExplorerSource(world);
    this.#held.add(this.#source.paimon);
    this.#held.add(this.#source.paimon.onDidChange((id) => this.#redraw(id)));
    const now = (): number => world.clock.now();
    this.#view = this.#held.add(new TreeView<ExplorerNode>(views.explorer, {
      children: (parent) => this.#source.children(parent), render: (node) => renderRow(node, pacedMs(node, now())), tooltip: renderTooltip,
    }, now));
    this.#polling = this.#held.add(new Polling({ targets: () => this.#targets(), intervalMs: () => this.#paceMs(), clock: world.clock, log: world.log }));
    this.#held.add({ dispose: () => this.#ticking?.dispose() });

    this.#held.add(this.#view.onDidChangeVisibility(() => this.#shownOrHidden()));
    this.#held.add(vscode.window.onDidChangeWindowState(() => this.#polling.wake()));
    this.#held.add(this.#view.onDidToggle(() => {
      this.#polling.wake();
      this.#source.paimon.keep((id) => this.#view.tree.find(id)?.open !== false);
    }));
    this.#held.add(world.operations.onDidChange(() => this.#shownOrHidden()));
    this.#held.add(world.ledger.onDidChange(() => this.#redraw()));
    this.#held.add(world.schedules.onDidChange(() => this.#redraw()));
    this.#held.add(world.jobs.onDidChange((job) => {
      this.#polling.changed(nodeId.job(job));
      this.#redraw(nodeId.job(job));
    }));
    this.#held.add(world.clusters.onDidChange(({ cluster }) => {
      if (cluster === null) this.#setContext();
      else this.#polling.changed(nodeId.cluster(cluster));
      this.#redraw(cluster === null ? undefined : nodeId.cluster(cluster));
    }));
    this.#held.add(world.warehouses.onDidChange(() => {
      this.#setContext();
      this.#redraw();
    }));
    this.#held.add(world.pairs.onDidChange(() => this.#redraw()));
    this.#held.add(world.otherPins.onDidChange(() => this.#redraw()));
    this.#setContext();
    this.#shownOrHidden();
  }

  /** What a keybinding is about: the row that had the keyboard when the key was pressed, if that is certain. */
  pressed(): unknown {
    return this.#view.pressed();
  }

  get visible(): boolean {
    return this.#view.visible;
  }

  /** Fires when the view is shown or hidden. */
  get onDidChangeVisibility(): vscode.Event<unknown> {
    return this.#view.onDidChangeVisibility;
  }

  refresh(): void {
    this.#polling.hurry();
    this.#source.paimon.forget().then(() => this.#redraw(), (error: unknown) => this.#world.log.error("asking gateways anew", error));
    this.#redraw();
  }

  isSecondClick(row: string): boolean {
    const { row: before, atMs } = this.#click;
    const nowMs = this.#world.clock.now();
    this.#click = { row, atMs: nowMs };
    return before === row && nowMs - atMs < doubleClickMs;
  }

  showMore(listId: string): void {
    this.#source.showMore(listId);
    this.#redraw(listId);
  }

  /** Selects a row, opening and lengthening what it lies in. */
  async reveal(id: string): Promise<boolean> {
    const { tree } = this.#view;
    let parent = undefined;
    for (const step of nodeId.path(id)) {
      let list = await tree.children(parent);
      while (!list.some((element) => element.id === step) && list.some(({ node }) => node.kind === "more")) {
        this.#source.showMore(parent?.id ?? "");
        await tree.update(parent?.id);
        list = await tree.children(parent);
      }
      parent = list.find((element) => element.id === step);
      if (parent === undefined) return false;
    }
    if (parent === undefined) return false;
    await this.#view.reveal(parent);
    return true;
  }

  /** What is below a row as if it had just been opened: its cluster or job is asked first. For tests. */
  async rows(parentId?: string): Promise<readonly RowData[]> {
    const { clusters, jobs, clock } = this.#world;
    const signal = AbortSignal.timeout(60_000);
    const path = parentId === undefined ? [] : nodeId.path(parentId);
    let parent: ExplorerNode | undefined;
    for (const step of path) {
      if (parent === undefined && step !== paimonId.root) await clusters.refresh(step, signal);
      parent = (await this.#source.children(parent)).find((node) => node.id === step);
      if (parent === undefined) return [];
      if (parent.kind === "job") await jobs.observe(parent.row, signal);
    }
    return (await this.#source.children(parent)).map((node) => {
      const { click, ...row } = renderRow(node, clock.now());
      return { id: node.id, ...row, command: click?.command ?? null, tooltip: renderTooltip(node) };
    });
  }

  dispose(): void {
    this.#held.dispose();
  }

  /** What is on the screen, or would be if the window were in front: nothing while the view is hidden. */
  #targets(): readonly PollTarget[] {
    if (!this.#view.visible) return [];
    const { clusters, jobs } = this.#world;
    const targets: PollTarget[] = [];
    for (const { node, open } of this.#view.tree.shown()) {
      if (node.kind === "cluster" && !node.view.removed) {
        const cluster = node.view.profile.url;
        targets.push({
          key: node.id, slow: !open, ask: (signal) => clusters.refresh(cluster, signal),
          nextMs: () => {
            const reach = clusters.get(cluster)?.reach;
            return reach?.state === "offline" ? reach.nextTryAtMs : null;
          },
        });
      } else if (open && (node.kind === "warehouse" || node.kind === "database" || node.kind === "table" || node.kind === "snapshots" || node.kind === "branches")) {
        // Files are looked at again and read where they changed; the row tells whether they did.
        targets.push({ key: node.id, slow: true, ask: () => this.#view.tree.update(node.id), nextMs: () => null });
      } else if (node.kind === "job" && (open || node.row.operations.length > 0) && node.seen && node.row.state !== "gone") {
        const job: JobRef = { cluster: node.row.cluster, jobId: node.row.jobId };
        targets.push({ key: node.id, slow: isTerminal(node.row.state), ask: (signal) => jobs.observe(job, signal), nextMs: () => null });
      }
    }
    return targets;
  }

  /** In a window that is not in front everything is asked at a tenth of the pace, unless something is under way. */
  #paceMs(): number {
    const { operations, intervalMs } = this.#world;
    return vscode.window.state.focused || operations.list.length > 0 ? intervalMs() : intervalMs() * 10;
  }

  #shownOrHidden(): void {
    this.#ticking?.dispose();
    this.#ticking = undefined;
    this.#polling.wake();
    if (!this.#view.visible) return;
    const tickMs = this.#world.operations.list.length > 0 ? 1_000 : 10_000;
    this.#ticking = every(this.#world.clock, () => tickMs, () => this.#view.tree.rerender());
  }

  /** Gathers what changed for a moment, so that ten changes are one drawing. */
  #redraw(id = ""): void {
    const isGathering = this.#due.size > 0;
    this.#due.add(id);
    if (isGathering) return;
    void this.#world.clock.sleep(20).then(async () => {
      const ids = this.#due.has("") ? [undefined] : [...this.#due];
      this.#due.clear();
      for (const each of ids) await this.#view.tree.update(each);
      this.#polling.wake();
    }).catch((error: unknown) => this.#world.log.error("drawing the explorer", error));
  }

  #setContext(): void {
    const list = this.#world.clusters.list();
    const set = (key: string, value: string): Thenable<unknown> => vscode.commands.executeCommand("setContext", key, value);
    void set(contextKeys.clusters, list.some(({ removed }) => !removed) || this.#world.warehouses.list().length > 0 ? "some" : "none");
    void set(contextKeys.warehouses, this.#world.warehouses.list().length > 0 ? "some" : "none");
    void set(contextKeys.localFlink, list.some(({ profile }) => profile.local === true) ? "running" : "none");
  }
}

/** Within so long two clicks on one row are a double click, as systems have it by default. */
const doubleClickMs = 500;

/**
 * The time that a row's ages are told by. VS Code draws a row that changes again with all below it, and a menu that is open on one of those
 * then loses its row; so rows with others below them count in quarters of a minute.
 */
function pacedMs(node: ExplorerNode, nowMs: number): number {
  const above = node.kind === "job" || node.kind === "savepoints" || node.kind === "checkpoints";
  return above ? nowMs - (nowMs % 15_000) : nowMs;
}
