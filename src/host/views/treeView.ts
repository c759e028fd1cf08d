import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { Emitter } from "../../core/base/event";
import { PressedRows } from "./pressedRows";
import type { Row } from "./row";
import { Tree, type Element, type TreeSource } from "./tree";

/** A `Tree` in a view of VS Code. Tooltips are made when they are looked at. */
export class TreeView<N extends { readonly id: string }> implements Disposable {
  readonly tree: Tree<N>;
  readonly #changed = new vscode.EventEmitter<Element<N> | Element<N>[] | undefined>();
  readonly #view: vscode.TreeView<Element<N>>;
  readonly #held = new DisposableStore();
  readonly #toggled = new Emitter<undefined>();
  readonly #pressed: PressedRows<Element<N>>;

  /** Fires when rows were given out or hidden: what is visible is another. */
  readonly onDidToggle = this.#toggled.event;

  constructor(viewId: string, source: TreeSource<N> & { tooltip(node: N): string }, nowMs: () => number) {
    this.#pressed = new PressedRows(nowMs);
    this.tree = new Tree(source, (changed) => this.#changed.fire(changed === "root" ? undefined : [...changed]));
    this.#held.add(this.#changed);
    this.#view = this.#held.add(vscode.window.createTreeView(viewId, {
      showCollapseAll: true,
      canSelectMany: true,
      treeDataProvider: {
        onDidChangeTreeData: this.#changed.event,
        getChildren: async (element) => {
          const list = await this.tree.children(element);
          this.#toggled.fire(undefined);
          return [...list];
        },
        getParent: (element) => element.parent,
        getTreeItem: (element) => treeItem(element.id, element.row),
        resolveTreeItem: (item, element) => {
          const text = source.tooltip(element.node);
          item.tooltip = text === "" ? undefined : new vscode.MarkdownString(text);
          return item;
        },
      },
    }));
    this.#held.add(this.#view.onDidChangeSelection(({ selection }) => this.#pressed.selected(selection)));
    this.#held.add(this.#view.onDidExpandElement(({ element }) => this.#toggle(element, true)));
    this.#held.add(this.#view.onDidCollapseElement(({ element }) => this.#toggle(element, false)));
  }

  get visible(): boolean {
    return this.#view.visible;
  }

  /** Fires when the view is shown or hidden. */
  get onDidChangeVisibility(): vscode.Event<unknown> {
    return this.#view.onDidChangeVisibility;
  }

  /** The row that a keybinding is about, for the verb that it runs now. */
  pressed(): Element<N> | undefined {
    return this.#pressed.take();
  }

  async reveal(element: Element<N>): Promise<void> {
    await this.#view.reveal(element, { select: true, focus: true, expand: true });
  }

  dispose(): void {
    this.#held.dispose();
    this.#toggled.dispose();
  }

  #toggle(element: Element<N>, open: boolean): void {
    this.tree.setOpen(element, open);
    this.#toggled.fire(undefined);
  }
}

const collapsible = { none: vscode.TreeItemCollapsibleState.None, closed: vscode.TreeItemCollapsibleState.Collapsed, open: vscode.TreeItemCollapsibleState.Expanded } as const;

function treeItem(id: string, row: Row): vscode.TreeItem {
  const item = new vscode.TreeItem(row.label, collapsible[row.children]);
  item.id = id;
  item.description = row.description;
  item.contextValue = row.contextValue;
  item.accessibilityInformation = { label: row.spoken };
  if (row.icon) item.iconPath = new vscode.ThemeIcon(row.icon.id, row.icon.color === undefined ? undefined : new vscode.ThemeColor(row.icon.color));
  if (row.click) item.command = { command: row.click.command, title: row.click.title, arguments: [...row.click.args] };
  return item;
}
