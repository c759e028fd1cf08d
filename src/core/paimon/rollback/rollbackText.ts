import { shellQuote } from "../../cli";
import { explainRefusal } from "../../explain";
import type { Refusal } from "../../errors";
import type { FlinkVersion } from "../../model/version";
import type { WarehouseProfile } from "../../model/warehouse";
import { joinText } from "../../rowText";
import { ageText, countText, savepointName, timeText } from "../../wording";
import { actionArguments, callStatement, createCatalogStatement, shownOptions, stars, type PaimonAction } from "../actions";
import { pairGradeText } from "../pairText";
import type { PaimonSnapshot } from "../snapshot";
import { movedOn, stepsFor, type RollbackPlan, type TableRollback } from "./plan";

/** What a rollback deletes of one table, in a line; `null` when nothing. */
export function victimsText(table: Pick<TableRollback, "snapshots" | "tags">): string | null {
  if (table.snapshots.length === 0 && table.tags.length === 0) return null;
  return `deletes ${[table.snapshots.length === 0 ? "" : countText(table.snapshots.length, "snapshot"), table.tags.length === 0 ? "" : `${countText(table.tags.length, "tag")} (${table.tags.map(({ name }) => name).join(", ")})`].filter((part) => part !== "").join(" and ")}`;
}

/** A table of a plan in a line: what it goes back to, and how old that is. */
export function targetText(table: TableRollback, nowMs: number): string {
  return joinText(`${table.tag.isNew ? "a new tag" : `tag ${table.tag.name}`} of snapshot ${table.target.id}`, ageText(table.target.timeMs, nowMs), pairGradeText(table.pairing.grade));
}

/** What to know of tables before they are rolled back, as sentences: what is to be said of several alike is said once, with their names. */
export function remarksOf(...tables: readonly TableRollback[]): readonly string[] {
  const mark = "\0";
  const said = new Map<string, string[]>();
  for (const table of tables) for (const sentence of sentencesOf(table, mark)) said.set(sentence, [...(said.get(sentence) ?? []), table.table.name]);
  return [...[...said].map(([sentence, names]) => sentence.replaceAll(mark, () => names.join(", "))), ...lossesOf(tables)];
}

/** Savepoints to which one can't go back after the rollback, a sentence for each, however many tables it loses a pair in. */
export function lossesOf(tables: readonly TableRollback[]): readonly string[] {
  const losses = new Map<string, Set<string>>();
  for (const { table, tags } of tables) for (const lost of tags.flatMap(({ savepoints }) => savepoints)) losses.set(lost, (losses.get(lost) ?? new Set()).add(table.name));
  return [...losses].map(([lost, names]) => `One can't go back to ${lost} afterwards: the tag that is its pair goes in ${[...names].join(", ")}.`);
}

/** They hold for one table as for several in the place of its name. */
function sentencesOf(table: TableRollback, name: string): readonly string[] {
  return [
    ...(table.isBrokenOff ? [`A rollback of ${name} broke off earlier, and Paimon can't read what it left: the pointers are mended first.`] : []),
    ...(table.pairing.grade === "drained" ? [`The savepoint was taken with drain: what ${name} got at the end of the input stays there.`] : []),
    ...(table.pairing.grade === "idle" ? [`The job had written nothing to ${name} since the snapshot: it is the same state.`] : []),
    ...(table.pairing.grade === "waiting" ? [`What the savepoint wrote to ${name} is not committed yet, and nothing was since: the restore commits it.`] : []),
    ...(table.strangers.length === 0 ? [] : [`Others wrote to ${name} since (commit user ${table.strangers.join(", ")}): what they wrote is deleted too.`]),
    ...(table.consumers.length === 0 ? [] : [`Readers of ${name} are past snapshot ${table.target.id} (${table.consumers.map(({ id, nextSnapshot }) => `${id} at ${nextSnapshot}`).join(", ")}): reset them, or they skip or repeat rows.`]),
    ...(table.schema === null ? [] : [`The schema of ${name} is newer (${table.schema.newest}) than the snapshot's (${table.schema.target}); the rollback leaves it as it is.`]),
    ...(table.branches.length === 0 ? [] : [`Branches of ${name} stay as they are (${table.branches.join(", ")}).`]),
  ];
}

/** Every victim by its name, a line for each tag and for each run of snapshots of one writer: nothing else is deleted. */
export function victimLines(plan: Pick<RollbackPlan, "tables">): readonly string[] {
  return plan.tables.flatMap((table) => [
    ...table.tags.map(({ name, snapshotId, savepoints }) => `${table.table.name}: tag ${name} of snapshot ${snapshotId}${savepoints.length === 0 ? "" : `, pair of ${savepoints.join(", ")}`}`),
    ...runsOf(table.snapshots).map(([first, last]) => (first.id === last.id
      ? `${table.table.name}: snapshot ${first.id} (${timeText(first.timeMs)}, commit user ${first.commitUser})`
      : `${table.table.name}: snapshots ${first.id} to ${last.id} (${timeText(first.timeMs)} to ${timeText(last.timeMs)}, commit user ${first.commitUser})`)),
  ]);
}

/** First and last of snapshots that follow one another and are of one writer. */
function runsOf(snapshots: readonly PaimonSnapshot[]): readonly (readonly [PaimonSnapshot, PaimonSnapshot])[] {
  const runs: [PaimonSnapshot, PaimonSnapshot][] = [];
  for (const snapshot of snapshots) {
    const run = runs[runs.length - 1];
    if (run !== undefined && run[1].id === snapshot.id - 1 && run[1].commitUser === snapshot.commitUser) run[1] = snapshot;
    else runs.push([snapshot, snapshot]);
  }
  return runs;
}

/** How to run an action in a terminal or in SQL. */
export interface RunbookWay {
  /** Undefined: the action command. */
  readonly sql: FlinkVersion | undefined;
  profile(warehouse: string): Pick<WarehouseProfile, "path" | "catalog" | "catalogOptions">;
}

/** A warehouse as it may be copied. */
function shownProfile(way: RunbookWay, warehouse: string): ReturnType<RunbookWay["profile"]> {
  const profile = way.profile(warehouse);
  return { ...profile, catalogOptions: shownOptions(profile.catalogOptions) };
}

/**
 * An action as a line to be copied: a statement of Flink SQL, or Paimon's action command for a POSIX shell. Secrets among the catalog's options are variables
 * of the shell, which the page names (`secretLines`). Undefined when the version has no such statement.
 */
export function actionLine(table: Pick<TableRollback, "warehouse" | "address">, action: PaimonAction, way: RunbookWay): string | undefined {
  const profile = shownProfile(way, table.warehouse);
  if (way.sql !== undefined) {
    const statement = callStatement(profile.catalog, table.address, action, way.sql);
    return statement === undefined ? undefined : `${statement};`;
  }
  return ["java", "-cp", "\"$PAIMON_JARS\"", "org.apache.paimon.flink.action.FlinkActions", ...actionArguments(profile, table.address, action).map((word) => shellQuote(word).replaceAll(stars, `'"$${variableOf(word)}"'`).replace(/''(?=$| )/g, ""))].join(" ");
}

/** The shell's variable that stands for the secret in the value of an option, `s3.secret-key=******`. */
function variableOf(option: string): string {
  const key = option.slice(0, option.indexOf("=")).replace(/\W+/g, "_").toUpperCase();
  return /^\d/.test(key) ? `_${key}` : key;
}

/** What to know of the secrets that a page of commands lacks, as comments. */
function secretLines(way: RunbookWay, warehouses: readonly string[]): readonly string[] {
  const options = warehouses.flatMap((warehouse) => Object.entries(shownProfile(way, warehouse).catalogOptions)).filter(([, value]) => value.includes(stars));
  if (options.length === 0) return [];
  if (way.sql !== undefined) return [`-- ${stars} stands for a secret of the warehouse: ${[...new Set(options.map(([key]) => key))].join(", ")}. Fill it in where the statement is run.`];
  const names = [...new Set(options.map(([key, value]) => variableOf(`${key}=${value}`)))];
  return [`# Secrets of the warehouse are not on this page. Read them first, unseen: ${names.map((name) => `read -rs ${name}`).join("; ")}`, "# While a command runs, others on the same machine can see them in the list of processes."];
}

/**
 * A rollback as a page to follow by hand: what is checked, what goes, the commands in their order, and what must be so before the next. For those
 * who may not click, or may not from here. Of a plan that lacks a table there are no commands: half a rollback is worse than none.
 */
export function runbookText(plan: RollbackPlan, refusals: readonly Refusal[], restoreLine: string, way: RunbookWay, nowMs: number): string {
  const name = plan.savepoint.jobName ?? "the job";
  const point = savepointName(plan.savepoint);
  const safety = `before-${plan.savepoint.checkpointId}`;
  const lines = [
    `# Go back to ${point} of ${name}`, "",
    `Savepoint: ${plan.savepoint.path}`,
    `Made at ${timeText(nowMs)}. Look again if the job ran since.`, "",
  ];
  if (refusals.length > 0) lines.push("## What forbids it now", "", ...refusals.map((refusal) => `- ${explainRefusal(refusal)}`), "");
  lines.push(
    "## 1. Stop everything that writes", "",
    `- ${name} must have ended, and every other job that writes to the tables or compacts them. A rollback under a running writer loses rows without a word.`, "",
    "## 2. Tables", "",
    ...plan.tables.flatMap((table) => [`- **${table.table.name}**: ${targetText(table, nowMs)}`, ...remarksOf(table).map((remark) => `  - ${remark}`)]), "",
    movedOn(plan).length === 0 ? "None has moved on since the savepoint: the job can be restored as it is." : "All of them, or none: a table that is left as it is gets rows twice, or loses some.", "",
    "What is deleted:", "",
    ...(victimLines(plan).length === 0 ? ["- nothing"] : victimLines(plan).map((line) => `- ${line}`)), "",
    "## 3. Roll back", "",
  );
  if (refusals.some(({ rule }) => rule === "pair-unproven" || rule === "table-unknown" || rule === "table-twice")) {
    lines.push("Not with this page: a table that the job writes is missing above, see what forbids it. Rolling back the others alone loses rows or doubles them, so their commands are left out.", "");
    return lines.map(onOneLine).join("\n");
  }
  const before = lines.map(onOneLine);
  lines.length = 0;
  const fence = way.sql === undefined ? "```sh" : "```sql";
  const warehouses = [...new Set(plan.tables.map(({ warehouse }) => warehouse))];
  const secrets = secretLines(way, warehouses);
  if (way.sql !== undefined) lines.push(fence, ...secrets, ...warehouses.map((warehouse) => `${createCatalogStatement(shownProfile(way, warehouse))};`), "```", "");
  else lines.push("`PAIMON_JARS` is the class path: Flink's lib/* and Paimon's bundle.", "", ...(secrets.length === 0 ? [] : [fence, ...secrets, "```", ""]));
  const commands = plan.tables.flatMap((table) => stepsFor(table, safety).map((action) => ({
    isOptional: action.kind === "create-branch" || (action.kind === "create-tag" && action.tag === safety),
    line: actionLine(table, action, way) ?? `-- ${onOneLine(table.table.name)}: this Flink has no CALL`,
  })));
  const optional = commands.filter(({ isOptional }) => isOptional).map(({ line }) => line);
  if (optional.length > 0) lines.push(`Only if the tables are to be kept as they are now, each in a branch \`${safety}\`, and before anything else:`, "", fence, ...optional, "```", "", "The rollback itself:", "");
  lines.push(fence, ...commands.filter(({ isOptional }) => !isOptional).map(({ line }) => line));
  const rollBack = [...lines];
  lines.length = 0;
  lines.push(
    "```", "",
    "## 4. See that it is so", "",
    "Each table must show exactly this snapshot as its newest, and no later tag:", "",
    ...plan.tables.map((table) => `- ${table.table.name}: snapshot/LATEST is ${table.target.id}, of commit user ${table.target.commitUser} with commit identifier ${table.target.commitIdentifier}`), "",
    "Do not go on while one of them differs. `rollback_to_as_latest` is no way to do it: a restore after it loses commits without a word.", "",
    "## 5. Restore", "", "```sh", restoreLine, "```", "",
    `The first commit after it has commit user ${[...new Set(plan.tables.map(({ target }) => target.commitUser))].join(" or ")} and a commit identifier above ${plan.savepoint.checkpointId}. One failure that says “This exception is intentionally thrown after committing the restored checkpoints” is meant to be; the job starts again by itself where it has a restart strategy.`, "",
  );
  return [...before, ...rollBack, ...lines.map(onOneLine)].join("\n");
}

/** Names are of strangers: a line break in one must not begin a line of its own. */
function onOneLine(line: string): string {
  return line.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
