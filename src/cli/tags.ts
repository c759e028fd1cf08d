import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { metadataFileAt, openLocalFile, openRegularFile, unreadableReason } from "../clients/localFiles";
import { localWarehouse } from "../clients/paimon/localWarehouse";
import { FlinkError } from "../core/errors";
import { localPath } from "../core/model/location";
import { readBoard, type Board, type BoardPair, type BoardSavepoint } from "../core/paimon/board";
import type { PairGrade } from "../core/paimon/pairing";
import { pairGradeText, pairReasonText, warehouseProblemText } from "../core/paimon/pairText";
import type { PaimonSnapshot } from "../core/paimon/snapshot";
import { readArguments } from "./arguments";
import { UsageError, type Command, type Terminal } from "./command";
import { printable } from "./printable";
import { tableLines } from "./table";

/** A tag with the savepoint it belongs to, or with `tag: null` a savepoint and a table of its job without a tag. */
interface Entry {
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

/** Folders within folders that are looked through for savepoints. */
const deepest = 4;

/** `tags WAREHOUSE`: tables, tags, and which savepoint each belongs to, with what proves it; exit code 1 when something of the warehouse can't be read. */
export const tags: Command = {
  usage: "WAREHOUSE [--savepoints DIR…] [--json]",
  about: "Lists the tags of a Paimon warehouse, and pairs them with savepoints.",
  async run(args, terminal) {
    const { warehouse, folders, json } = asked(args, terminal.workingFolder);
    const problems: string[] = [];
    await readdir(warehouse).catch((error: unknown) => {
      throw new FlinkError("file-unreadable", { path: warehouse, reason: unreadableReason(error) }, { cause: error });
    });
    const board = await readBoard(localWarehouse, warehouse, savepointsIn(folders, problems, terminal), openLocalFile, terminal.signal);
    const entries = entriesOf(board);
    if (json) terminal.out(JSON.stringify(entries, null, 2));
    else tell(entries, board, terminal);
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
  return { warehouse: placeOf(warehouse, workingFolder), folders: folders.map((folder) => placeOf(folder, workingFolder)), json: flags.json };
}

/** `--savepoints A B` takes every word up to the next option. */
function withoutFolders(args: readonly string[]): { before: string[]; folders: string[] } {
  const before: string[] = [];
  const folders: string[] = [];
  let taking = false;
  for (const arg of args) {
    if (arg === "--savepoints") taking = true;
    else if (arg.startsWith("--savepoints=")) folders.push(arg.slice("--savepoints=".length));
    else if (arg.startsWith("--")) {
      taking = false;
      before.push(arg);
    } else (taking ? folders : before).push(arg);
  }
  if (args.includes("--savepoints") && folders.length === 0) throw new UsageError("--savepoints takes a folder.");
  return { before, folders };
}

function placeOf(place: string, workingFolder: string): string {
  if (place === "") throw new FlinkError("file-unreadable", { path: "“”", reason: "it names no folder" });
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:\//.test(place)) return path.resolve(workingFolder, place);
  const local = localPath(place);
  if (local === undefined) throw new FlinkError("file-unreadable", { path: place, reason: "this storage can't be reached from here" });
  return local;
}

/** The savepoints in some folders: the folders themselves, or what lies in them. */
async function* savepointsIn(folders: readonly string[], problems: string[], terminal: Terminal): AsyncGenerator<BoardSavepoint> {
  for (const folder of folders) {
    for await (const found of foldersWithMetadata(folder, 0)) {
      terminal.signal.throwIfAborted();
      try {
        const file = await metadataFileAt(found);
        const { mtimeMs } = await stat(file);
        const metadata = await openRegularFile(file);
        try {
          yield { path: found, metadata, completedMs: mtimeMs };
        } finally {
          await metadata.close();
        }
      } catch (error) {
        terminal.signal.throwIfAborted();
        if (!(error instanceof FlinkError)) throw error;
        problems.push(`${found} can't be read: ${(error.facts as { reason?: string }).reason ?? error.code}.`);
      }
    }
  }
}

async function* foldersWithMetadata(folder: string, depth: number): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new FlinkError("file-unreadable", { path: folder, reason: unreadableReason(error) }, { cause: error });
  });
  if (entries.some(({ name }) => name === "_metadata")) return yield folder;
  if (depth >= deepest) return;
  for (const entry of entries.filter((each) => each.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1))) yield* foldersWithMetadata(path.join(folder, entry.name), depth + 1);
}

function entriesOf({ tables, pairs }: Board): Entry[] {
  const entries: Entry[] = [];
  for (const { table, tags: all } of tables) {
    const ofTable = pairs.filter((pair) => pair.table === table);
    for (const { name, snapshot } of all) {
      // A savepoint that was copied is there twice.
      const claiming = ofTable.filter(({ pairing }) => pairing.grade !== "idle" && pairing.grade !== "waiting" && pairing.tags.some((tag) => tag.name === name));
      for (const pair of claiming) entries.push({ table: table.name, tag: name, ...factsOf(snapshot), savepoint: pair.savepoint, grade: pair.pairing.grade, reasons: reasonsOf(pair) });
      if (claiming.length === 0) entries.push({ table: table.name, tag: name, ...factsOf(snapshot), savepoint: null, grade: "none", reasons: ["No savepoint among those given belongs to it."] });
    }
    for (const pair of ofTable) {
      if (entries.some((entry) => entry.table === table.name && entry.savepoint === pair.savepoint)) continue;
      entries.push({ table: table.name, tag: null, ...factsOf(pair.pairing.snapshot), savepoint: pair.savepoint, grade: pair.pairing.grade, reasons: reasonsOf(pair) });
    }
  }
  return entries;
}

const reasonsOf = ({ pairing }: BoardPair): readonly string[] => pairing.reasons.map(pairReasonText);

function factsOf(snapshot: PaimonSnapshot | null): Pick<Entry, "snapshotId" | "commitUser" | "commitIdentifier"> {
  if (snapshot === null) return { snapshotId: null, commitUser: null, commitIdentifier: null };
  return { snapshotId: snapshot.id, commitUser: snapshot.commitUser, commitIdentifier: String(snapshot.commitIdentifier) };
}

function tell(entries: readonly Entry[], board: Board, terminal: Terminal): void {
  if (board.tables.length === 0) terminal.out("There is no table of Paimon in this folder.");
  for (const { table, snapshots } of board.tables) {
    const own = entries.filter((entry) => entry.table === table.name);
    terminal.out(printable(`${table.name}  ${own.filter(({ tag }) => tag !== null).length} tags, ${snapshots.length} snapshots`));
    if (own.length === 0) continue;
    const heads = ["tag", "snapshot", "savepoint", "pair"].map((title) => ({ title, align: title === "snapshot" ? "right" as const : "left" as const }));
    const rows = own.map(({ tag, snapshotId, savepoint, grade }) => [tag ?? "–", String(snapshotId ?? "–"), savepoint === null ? "–" : path.basename(savepoint), `${grade}: ${savepoint === null ? "by hand, or its savepoint is elsewhere" : pairGradeText(grade)}`]);
    for (const line of tableLines(heads, rows.map((row) => row.map((text) => printable(text))), "  ")) terminal.out(line);
  }
}
