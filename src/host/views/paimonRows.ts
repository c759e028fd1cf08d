import type { PaimonSnapshotRef, PaimonTagRef, PairRef } from "../../core/contributions";
import type { PairRecord, RollbackRecord } from "../../core/ledger/record";
import type { WarehouseProfile } from "../../core/model/warehouse";
import type { PairGrade } from "../../core/paimon/pairing";
import { commitUserText, pairRowText, pairTitle, type PairedJob } from "../../core/paimon/pairText";
import type { SinkPair } from "../../core/paimon/savepointPairs";
import type { PaimonSnapshot } from "../../core/paimon/snapshot";
import { progressText } from "../../core/paimon/rollback/standing";
import { joinText, oneLine } from "../../core/rowText";
import { ageText, countText, savepointName, spanText } from "../../core/wording";
import type { ListedRow, TableSummary, TagRow } from "../../core/paimon/tableSource";
import { row, type Row, type RowCommand } from "./row";

/** Rows of Paimon: warehouses and what is in them, and the pairs below a savepoint. */
export type PaimonNode =
  | { readonly kind: "paimon"; readonly id: string; readonly count: number }
  | { readonly kind: "rollback"; readonly id: string; readonly record: RollbackRecord }
  | { readonly kind: "warehouse"; readonly id: string; readonly profile: WarehouseProfile; readonly open: boolean }
  | { readonly kind: "database"; readonly id: string; readonly warehouse: string; readonly name: string }
  | { readonly kind: "table"; readonly id: string; readonly warehouse: string; readonly summary: TableSummary; readonly isBranch: boolean }
  | { readonly kind: "tag"; readonly id: string; readonly ref: PaimonTagRef; readonly row: TagRow; readonly owner: TagOwner }
  | { readonly kind: "snapshots" | "branches"; readonly id: string; readonly warehouse: string; readonly summary: TableSummary }
  | { readonly kind: "snapshot"; readonly id: string; readonly ref: PaimonSnapshotRef; readonly row: ListedRow<PaimonSnapshot>; readonly owner: PairRecord | undefined }
  | { readonly kind: "pair"; readonly id: string; readonly recordId: string; readonly pair: SinkPair; readonly job: PairedJob };

/** Whose a tag is: of a savepoint that was proven, by its name of one that is not (`checkpointId`: its number, if one of that number is known here), or made by hand. */
export type TagOwner = { readonly kind: "proven"; readonly pair: PairRecord } | { readonly kind: "changed"; readonly checkpointId: string } | { readonly kind: "unknown"; readonly checkpointId: string | null } | { readonly kind: "hand" };

const green = "testing.iconPassed";
const red = "testing.iconFailed";
const yellow = "problemsWarningIcon.foreground";
const grey = "disabledForeground";

/** How a node looks at a moment. */
export function renderPaimonRow(node: PaimonNode, nowMs: number): Row {
  switch (node.kind) {
    case "paimon": return row("Paimon", countText(node.count, "warehouse"), { icon: { id: "layers" }, words: ["paimon"], children: "open" });
    case "warehouse": {
      const { name, path } = node.profile;
      return row(oneLine(name, 80), name === path ? "" : oneLine(path, 120), { icon: { id: "database" }, words: ["warehouse"], ref: { warehouse: path }, children: node.open ? "open" : "closed", noun: "Paimon warehouse" });
    }
    case "rollback": return row(`rollback of ${oneLine(node.record.jobName, 80)}`, joinText(`to ${savepointName(node.record.savepoint)}`, "not finished", progressText(node.record)), { icon: { id: "debug-continue", color: yellow }, words: ["rollback"], ref: { rollbackId: node.record.id } });
    case "database": return row(oneLine(node.name, 80), "", { icon: { id: "folder-library" }, children: "closed", noun: "database" });
    case "table": return tableRow(node);
    case "tag": return tagRow(node.ref, node.row, node.owner, nowMs);
    case "branches": return row("Branches", "", { icon: { id: "git-branch" }, children: "closed" });
    case "snapshots": return row("Snapshots", node.summary.snapshots?.toLocaleString("en") ?? "", { icon: { id: "versions" }, children: "closed" });
    case "snapshot": return snapshotRow(node.ref, node.row, node.owner, nowMs);
    case "pair": return pairRow(node.recordId, node.pair, node.job, nowMs);
  }
}

function tableRow({ warehouse, summary: { table, savepointTags, tags, snapshots }, isBranch }: Extract<PaimonNode, { kind: "table" }>): Row {
  const others = (tags ?? 0) - (savepointTags ?? 0);
  const text = tags === null || savepointTags === null || snapshots === null ? "" : joinText(savepointTags > 0 && countText(savepointTags, "savepoint tag"), others > 0 && countText(others, savepointTags > 0 ? "other tag" : "tag"), countText(snapshots, "snapshot"));
  const name = isBranch ? table.name.replace(/^.*\$branch_/, "") : table.objectName;
  return row(oneLine(name, 120), text, { icon: { id: isBranch ? "git-branch" : "table" }, words: ["table"], ref: { warehouse, table: table.name }, children: "closed", noun: isBranch ? "branch" : "table" });
}

function tagRow(ref: PaimonTagRef, { name, content, told, problem, modifiedMs }: TagRow, owner: TagOwner, nowMs: number): Row {
  const known = content === undefined ? told : { ...content.snapshot, snapshotId: content.snapshot.id, retainedMs: content.retainedMs };
  if (known === undefined) return brokenRow(name, "tag", problem === undefined);
  const { snapshotId, timeMs, totalRecordCount, retainedMs } = known;
  const left = retainedMs === null || modifiedMs === null ? null : modifiedMs + retainedMs - nowMs;
  const text = joinText(ownerText(owner), left !== null && (left > 0 ? `${spanText(left)} left` : "expired"), `snapshot ${snapshotId}`, ageText(timeMs, nowMs),
    totalRecordCount !== null && countText(totalRecordCount, "row"), content !== undefined && `by ${commitUserText(content.snapshot.commitUser)}`);
  const icon = owner.kind === "proven" ? { id: "link", color: green } : owner.kind === "changed" ? { id: "warning", color: yellow } : owner.kind === "unknown" ? { id: "tag", color: grey } : { id: "bookmark", color: grey };
  return row(oneLine(name, 120), text, { icon, words: ["tag"], ref, click: clickOn(ref), noun: "tag" });
}

function ownerText(owner: TagOwner): string {
  switch (owner.kind) {
    case "proven": return `pairs with #${owner.pair.savepoint.checkpointId}`;
    case "changed": return `looks like #${owner.checkpointId}, and is not`;
    case "unknown": return owner.checkpointId === null ? "of a savepoint not known here" : `not proven to be of #${owner.checkpointId}`;
    case "hand": return "by hand";
  }
}

function snapshotRow(ref: PaimonSnapshotRef, { name, content, problem }: ListedRow<PaimonSnapshot>, owner: PairRecord | undefined, nowMs: number): Row {
  if (content === undefined) return brokenRow(`snapshot ${name}`, "snapshot", problem === undefined);
  const text = joinText(owner !== undefined && `pairs with #${owner.savepoint.checkpointId}`, ageText(content.timeMs, nowMs), content.commitKind.toLowerCase(), content.totalRecordCount !== null && countText(content.totalRecordCount, "row"), `by ${commitUserText(content.commitUser)}`);
  return row(`snapshot ${name}`, text, { icon: owner === undefined ? { id: "circle-small" } : { id: "link", color: green }, words: ["snapshot"], ref, click: clickOn(ref), noun: "Paimon snapshot" });
}

/** A file that can't be used: the tooltip says why. */
function brokenRow(label: string, noun: string, isGone: boolean): Row {
  return row(oneLine(label, 120), isGone ? "is gone" : "can't be read", { icon: { id: "warning", color: yellow }, noun });
}

function pairRow(recordId: string, pair: SinkPair, job: PairedJob, nowMs: number): Row {
  const { pairing: { grade }, place } = pair;
  const ref: PairRef = { recordId, warehouse: place?.warehouse ?? "", pairTable: place?.table ?? "" };
  return row(pairTitle(pair), pairRowText(pair, nowMs, job), { icon: gradeIcons[grade], words: ["pair"], ref, noun: `pair, ${grade}`, click: clickOn(ref) });
}

const gradeIcons: Readonly<Record<PairGrade, NonNullable<Row["icon"]>>> = {
  "exact": { id: "link", color: green },
  "unprotected": { id: "unlock", color: yellow },
  "waiting": { id: "watch" },
  "idle": { id: "circle-outline", color: grey },
  "drained": { id: "debug-stop", color: yellow },
  "foreign": { id: "error", color: red },
  "stale-tag": { id: "history", color: red },
  "changed": { id: "warning", color: red },
  "none": { id: "question", color: yellow },
};

const clickOn = (ref: PaimonTagRef | PaimonSnapshotRef | PairRef): RowCommand => ({ command: "flinkSavepoints.clickRow", title: "Open on Double Click", args: [ref] });
