import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import type { CommandId } from "../../core/contributions";
import type { Clock } from "../../core/ports";
import { operationTitle } from "../../core/rowText";
import { countText, durationText } from "../../core/wording";
import type { Operations } from "./operations";
import { every } from "./polling";

const showOperations: CommandId = "flinkSavepoints.showOperations";

/** One item while an operation runs: what it is and for how long; a click goes to it. */
export function operationsStatus(operations: Operations, clock: Clock): Disposable {
  const store = new DisposableStore();
  const item = store.add(vscode.window.createStatusBarItem("operations", vscode.StatusBarAlignment.Left, 10));
  item.name = "Flink Savepoints Operations";
  item.command = showOperations;
  let ticking: Disposable | undefined;

  const draw = (): void => {
    const [oldest, ...others] = operations.list;
    if (oldest === undefined) return;
    const what = others.length === 0 ? operationTitle(oldest) : countText(others.length + 1, "Flink operation");
    const took = durationText(Math.max(0, clock.now() - oldest.sinceMs));
    item.text = `$(sync~spin) ${what.replaceAll("$(", "$ (")} · ${took}`;
    item.tooltip = operations.list.map(operationTitle).join("\n");
    item.accessibilityInformation = { label: `${what}, under way for ${took}` };
  };
  const follow = (): void => {
    if (operations.list.length === 0) {
      ticking?.dispose();
      ticking = undefined;
      item.hide();
      return;
    }
    draw();
    item.show();
    ticking ??= every(clock, () => 1_000, draw);
  };
  store.add(operations.onDidChange(follow));
  store.add({ dispose: () => ticking?.dispose() });
  follow();
  return store;
}
