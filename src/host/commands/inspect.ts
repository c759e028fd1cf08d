import * as vscode from "vscode";
import { inspectorViewType, type CheckpointRef, type PaimonSnapshotRef, type PaimonTagRef, type PairRef, type SavepointRef } from "../../core/contributions";
import { localPath } from "../../core/model/location";
import { savepointName } from "../../core/wording";
import { openPaimon, showPairs } from "./pairs";
import { savepointChoices } from "./pick";
import { recordOf, refuse } from "./refuse";
import { askInSteps, type Choice } from "./steps";
import type { CommandWorld } from "./world";

/** *Inspect*: opens the metadata of a savepoint or checkpoint in the inspector. Asks which when it is not told; any file can be chosen. */
export async function inspect(world: CommandWorld, target?: SavepointRef | CheckpointRef): Promise<void> {
  if (target !== undefined) return "path" in target ? openInspector(world, target.path) : inspectRecord(world, target.recordId);
  const chosen = await askInSteps("Inspect", 1, async (ask): Promise<string | "file" | undefined> => {
    const records = await ask.wait("Reading the ledger", () => world.ledger.all());
    const saved = savepointChoices(world, records, { placeholder: "", can: ({ path }) => path !== null });
    const choices = saved.map(({ value, ...choice }): Choice<string> => ({ ...choice, value: value.path ?? "" }));
    return ask.choose({ placeholder: "Which savepoint is inspected?", choices: [...choices, { label: "$(folder-opened) Choose a file…", description: "a _metadata on this machine", value: "file", group: "elsewhere" }] });
  });
  if (chosen === undefined) return;
  if (chosen !== "file") return openInspector(world, chosen);
  const [file] = (await vscode.window.showOpenDialog({ title: "Inspect a Savepoint", openLabel: "Inspect", canSelectMany: false })) ?? [];
  if (file !== undefined) await openFile(file);
}

type RowTarget = PairRef | SavepointRef | CheckpointRef | PaimonTagRef | PaimonSnapshotRef;

/** Enter on a row, after what Enter does on every row: the inspector on a savepoint or checkpoint, the pairs on a pair, the file of a tag or snapshot of Paimon. */
export async function openRow(world: CommandWorld, target?: RowTarget): Promise<void> {
  if (target === undefined) return;
  if ("pairTable" in target) return showPairs(world, target);
  if ("table" in target) return openPaimon(world, target);
  await inspect(world, target);
}

/** A click on a row selects it; the second of a double click opens it. VS Code tells of each in the same way, so they are told apart by time. */
export async function clickRow(world: CommandWorld, target?: RowTarget): Promise<void> {
  if (target !== undefined && (world.settings.listOpensOnDoubleClick || world.explorer.isSecondClick(JSON.stringify(target)))) await openRow(world, target);
}

async function inspectRecord(world: CommandWorld, recordId: string): Promise<void> {
  const record = await recordOf(world, recordId, "inspected");
  if (record.path === null) return refuse(world, `${savepointName(record)} can't be inspected.`, [{ rule: "not-completed", state: record.state }]);
  await openInspector(world, record.path, record);
}

async function openInspector(world: CommandWorld, location: string, target?: { readonly id: string }): Promise<void> {
  const place = localPath(location);
  if (place === undefined) return refuseAt(world, `${location} is not reachable from here yet: only savepoints on local disks can be read.`, location, target);
  const file = vscode.Uri.joinPath(vscode.Uri.file(place), "_metadata");
  const there = await Promise.resolve(vscode.workspace.fs.stat(file)).then(() => true, () => false);
  if (!there) return refuseAt(world, `There is no _metadata at ${location} on this machine.`, location, target);
  await openFile(file);
}

async function openFile(file: vscode.Uri): Promise<void> {
  await vscode.commands.executeCommand("vscode.openWith", file, inspectorViewType);
}

function refuseAt(world: CommandWorld, message: string, location: string, target: { readonly id: string } | undefined): void {
  world.notify.refused(message, [{ title: "Copy Path", command: "flinkSavepoints.copyPath", args: [target === undefined ? { cluster: "", jobId: "", path: location, checkpointId: 0 } : { recordId: target.id }] }]);
}
