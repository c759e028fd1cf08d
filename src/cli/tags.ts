import path from "node:path";
import { openLocalFile } from "../clients/localFiles";
import { localWarehouse } from "../clients/paimon/localWarehouse";
import { readBoard, type Board, type BoardPair } from "../core/paimon/board";
import { FileTables } from "../core/paimon/fileTables";
import type { PairGrade } from "../core/paimon/pairing";
import { pairGradeText, pairReasonText, warehouseProblemText } from "../core/paimon/pairText";
import type { PaimonSnapshot } from "../core/paimon/snapshot";
import { countText } from "../core/wording";
import { readArguments } from "./arguments";
import { UsageError, type Command, type Terminal } from "./command";
import { printable } from "./printable";
import { pathArgument, warehouseArgument } from "./pathArgument";
import { savepointsIn, withoutFolders } from "./savepointFolders";
import { tableLines } from "./table";

/** A tag with the savepoint it belongs to, or with `tag: null` a savepoint and a table of its job without a tag. */
export interface TagEntry {
  readonly table: string;
  readonly tag: string | null;
  readonly snapshotId: number | null;
  readonly commitUser: string | null;
  /** Decimal; it can be 2^63 − 1. */
  readonly commitIdentifier: string | null;
  /** Folder of the savepoint. */
  readonly savepoint: string | null;
  readonly grade: PairGrade;
  readonly reasons: readonly string[];
}

/** `tags WAREHOUSE`: tables, tags, and which savepoint each belongs to, with what proves it; exit code 1 when something of the warehouse can't be read. */
export const tags: Command = {
  usage: "WAREHOUSE [--savepoints DIR…] [--json]",
  about: "Lists the tags of a Paimon warehouse, and pairs them with savepoints.",
  async run(args, terminal) {
    const { warehouse: place, folders, json } = asked(args, terminal.workingFolder);
    const problems: string[] = [];
    const warehouse = await warehouseArgument(place, terminal.workingFolder);
    const board = await readBoard(new FileTables(localWarehouse, warehouse), savepointsIn(folders, problems, terminal), openLocalFile, terminal.signal);
    const entries = entriesOf(board);
    if (json) terminal.out(JSON.stringify(entries, null, 2));
    else tell(entries, board, folders.length > 0 ? "by hand, or its savepoint is elsewhere" : "no savepoints were given (--savepoints DIR)", terminal);
    for (const { savepoint, table } of board.pairs) if (table === undefined) problems.push(`${savepoint}: a sink of this savepoint writes to no table of the warehouse.`);
    for (const problem of [...board.problems.map(warehouseProblemText), ...problems]) terminal.err(`problem: ${printable(problem)}`);
    return board.problems.length > 0 || problems.length > 0 ? 1 : 0;
  },
};

function asked(args: readonly string[], workingFolder: string): { warehouse: string; folders: readonly string[]; json: boolean } {
  const { before, folders } = withoutFolders(args);
  const { flags, rest } = readArguments(before, { flags: ["json"] });
  const [warehouse, ...more] = rest;
  if (warehouse === undefined) throw new UsageError("The warehouse is missing.");
  if (more.length > 0) throw new UsageError(`There is one warehouse; ${more.join(" ")} is too much.`);
  return { warehouse, folders: folders.map((folder) => pathArgument(folder, workingFolder)), json: flags.json };
}

function entriesOf({ tables, pairs }: Board): TagEntry[] {
  const entries: TagEntry[] = [];
  for (const { table, tags: all } of tables) {
    const ofTable = pairs.filter((pair) => pair.table === table);
    const told = new Set<BoardPair>();
    for (const { name, snapshot } of all) {
      // A savepoint that was copied is there twice.
      const claiming = ofTable.filter(({ pairing }) => pairing.grade !== "idle" && pairing.grade !== "waiting" && pairing.tags.some((tag) => tag.name === name));
      for (const pair of claiming) told.add(pair);
      for (const pair of claiming) entries.push({ table: table.name, tag: name, ...factsOf(snapshot), savepoint: pair.savepoint, grade: pair.pairing.grade, reasons: reasonsOf(pair) });
      if (claiming.length === 0) entries.push({ table: table.name, tag: name, ...factsOf(snapshot), savepoint: null, grade: "none", reasons: ["No savepoint among those given belongs to it."] });
    }
    for (const pair of ofTable) {
      // Of two sinks into one table each has a commit of its own, and at most one of them a tag.
      if (told.has(pair)) continue;
      entries.push({ table: table.name, tag: null, ...factsOf(pair.pairing.snapshot), savepoint: pair.savepoint, grade: pair.pairing.grade, reasons: reasonsOf(pair) });
    }
  }
  return entries;
}

const reasonsOf = ({ pairing }: BoardPair): readonly string[] => pairing.reasons.map(pairReasonText);

function factsOf(snapshot: PaimonSnapshot | null): Pick<TagEntry, "snapshotId" | "commitUser" | "commitIdentifier"> {
  if (snapshot === null) return { snapshotId: null, commitUser: null, commitIdentifier: null };
  return { snapshotId: snapshot.id, commitUser: snapshot.commitUser, commitIdentifier: String(snapshot.commitIdentifier) };
}

/** `alone`: what is said of a tag that no savepoint belongs to. */
function tell(entries: readonly TagEntry[], board: Board, alone: string, terminal: Terminal): void {
  if (board.tables.length === 0) terminal.out("There is no table of Paimon in this folder.");
  for (const { table, snapshots } of board.tables) {
    const own = entries.filter((entry) => entry.table === table.name);
    terminal.out(printable(`${table.name}  ${countText(own.filter(({ tag }) => tag !== null).length, "tag")}, ${countText(snapshots.length, "snapshot")}`));
    if (own.length === 0) continue;
    const heads = ["tag", "snapshot", "savepoint", "pair"].map((title) => ({ title, align: title === "snapshot" ? "right" as const : "left" as const }));
    const rows = own.map(({ tag, snapshotId, savepoint, grade }) => [tag ?? "–", String(snapshotId ?? "–"), savepoint === null ? "–" : path.basename(savepoint), `${grade}: ${savepoint === null ? alone : pairGradeText(grade)}`]);
    for (const line of tableLines(heads, rows.map((row) => row.map((text) => printable(text))), "  ")) terminal.out(line);
  }
}
