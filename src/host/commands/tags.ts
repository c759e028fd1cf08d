import type { PaimonSnapshotRef, PaimonTagRef, SavepointRef, TableRef, ToTagRef } from "../../core/contributions";
import { FlinkError } from "../../core/errors";
import { autoTagStatement, nameFault, readTagStatement, retentionText, tableAddress, type PaimonAction } from "../../core/paimon/actions";
import { actionLine } from "../../core/paimon/rollback/rollbackText";
import type { PaimonSnapshot, PaimonTag } from "../../core/paimon/snapshot";
import { joinText, oneLine } from "../../core/rowText";
import { ageText, countText, savepointName, timeText } from "../../core/wording";
import { pairedPlace } from "../../services/pairs";
import { whoNeedsTag } from "../../services/tagNeeds";
import { copyText } from "./copy";
import { waitFor } from "./outcomes";
import { askInSteps, typeName, waitBefore, type Choice, type Remark, type Steps } from "./steps";
import type { CommandWorld } from "./world";

/** Tags and snapshots that a list offers. */
const listed = 50;
const dayMs = 24 * 3_600_000;

/** *Create Tag*: of a snapshot, of a tag's, of the table as it was at a time; kept as long as one likes. */
export async function createTag(world: CommandWorld, target?: ToTagRef | PaimonSnapshotRef | PaimonTagRef | TableRef): Promise<void> {
  if (target === undefined) return chooseInTree(world, "a table, a snapshot or a tag");
  const action = await askInSteps(`Create a tag of ${target.table}`, 3, async (ask): Promise<Extract<PaimonAction, { kind: "create-tag" }> | undefined> => {
    const [snapshots, tags] = await ask.wait("Reading the table", async (signal) => {
      const table = await world.warehouses.table(target, signal);
      if (table === undefined) throw new FlinkError("file-unreadable", { path: target.table, reason: "there is no such table" });
      return [(await world.warehouses.snapshots(target.warehouse, table, 10_000, signal)).items.flatMap(({ content }) => content ?? []), (await world.warehouses.tags(target.warehouse, table, 10_000, signal)).items.map(({ name }) => name)] as const;
    });
    const snapshotId = "snapshotId" in target ? target.snapshotId : "tag" in target ? await snapshotIdOf(world, target) : await askSnapshot(ask, world, snapshots);
    if (snapshotId === undefined) return undefined;
    ask.title = `Create a tag of snapshot ${snapshotId} of ${target.table}`;
    const tag = await ask.enter({ prompt: "What is the tag called?", initial: "tagName" in target ? target.tagName : "", check: (text) => nameRemark(text, tags) });
    return { kind: "create-tag", tag, snapshotId, retainedMs: await askRetention(ask) };
  });
  if (action !== undefined) await act(world, target, action);
}

/** Makes tags of one name, one after another: a pinned pair has one in each of its tables. Ends with the first that could not be made, which is told. */
export async function tagSnapshots(world: CommandWorld, title: string, refs: readonly PaimonSnapshotRef[], tag: string, retainedMs: number | null): Promise<boolean> {
  const tables = await world.paimonTables();
  const done = await waitFor(world, title, async (run) => {
    for (const [at, { warehouse, table, snapshotId }] of refs.entries()) {
      run.report({ message: `${table} (${at + 1} of ${refs.length})`, percent: (100 * at) / refs.length });
      await tables.actions(warehouse).act(tableAddress(table), { kind: "create-tag", tag, snapshotId, retainedMs }, run);
      run.signal.throwIfAborted();
    }
    return true;
  });
  world.explorer.refresh();
  return done === true;
}

/** *Copy Auto-Tag Statement*: the statements that have the savepoints of a job's next start tagged, for a table or for those of a savepoint that lack it (P-7). */
export async function copyAutoTag(world: CommandWorld, target?: SavepointRef | TableRef): Promise<void> {
  if (target === undefined) return chooseInTree(world, "a table");
  if ("table" in target) return copyText("statement", autoTagStatements(world, [target]));
  const record = await world.jobs.record(target.recordId);
  const place = record === undefined ? undefined : pairedPlace(record);
  const known = place === undefined ? undefined : await world.pairs.pairsOf(place, 60_000);
  const off = (known?.pairs ?? []).flatMap(({ sink, place: table }) => (sink.autoTag || table === null ? [] : [table]));
  if (off.length === 0) return world.notify.refused("No table of this savepoint is known whose savepoints get no tag.");
  await copyText("statement", autoTagStatements(world, off));
}

/** One statement a line. */
export function autoTagStatements(world: CommandWorld, tables: readonly TableRef[]): string {
  return tables.map(({ warehouse, table }) => `${autoTagStatement(world.warehouses.profile(warehouse).catalog, tableAddress(table))};`).join("\n");
}

/** *Delete Tag*: says who needs it; a savepoint's pair takes the typed name of its job. */
export async function deleteTag(world: CommandWorld, target?: PaimonTagRef): Promise<void> {
  if (target === undefined) return chooseInTree(world, "a tag");
  const seen = await waitBefore(`Delete the tag ${target.tag}`, "Looking who needs it", async (run) => {
    const tag = await tagOf(world, target, run.signal);
    return { tag, needs: await whoNeedsTag(world.pairs, world.ledger, target, tag?.snapshot, run.signal), alive: await isSnapshotAlive(world, target, run.signal), others: tag === undefined ? [] : await othersOf(world, target, tag, run.signal) };
  });
  if (seen === undefined) return;
  if (target.tag.includes(",")) return world.notify.refused(`The tag ${target.tag} can't be deleted from here: Paimon takes the comma in its name for a list of tags.`);
  const { pairs: needing, unread } = seen.needs;
  const [other] = seen.others;
  // Kept by another tag the pair stays, so that nothing is lost.
  const first = other === undefined ? needing[0] : undefined;
  const detail = [
    ...needing.map((record) => `${savepointName(record)} of ${oneLine(record.job.name, 80)} pairs with it${other === undefined ? ": without the tag its tables can't be rolled back, and a restore loses or doubles rows" : ""}.`),
    ...(unread.length === 0 ? [] : [`Whether ${[...unread.slice(0, 5).map((record) => `${savepointName(record)} of ${oneLine(record.job.name, 80)}`), ...(unread.length > 5 ? [`${unread.length - 5} more`] : [])].join(", ")} ${unread.length === 1 ? "pairs" : "pair"} with it can't be told: not everything that tells it can be read from here.`]),
    other !== undefined ? `The tag ${oneLine(other, 80)} keeps the same snapshot.` : seen.alive ? `Snapshot ${seen.tag?.snapshot.id ?? ""} itself is still there, until it expires.` : "Its snapshot has expired, so this tag is all that keeps its files: they are deleted with it.",
    "This can't be undone.",
  ].join("\n");
  if (!(await world.notify.confirm({ title: `Delete the tag ${target.tag} of ${target.table}?`, detail, button: first === undefined ? "Delete" : "Delete…" }))) return;
  if (first !== undefined && (await typeName(`Delete the tag ${target.tag}`, first.job.name, `${savepointName(first)} loses its pair.`)) === undefined) return;
  await act(world, target, { kind: "delete-tag", tag: target.tag });
}

/** *Rename Tag* (Paimon 1.0 on). */
export async function renameTag(world: CommandWorld, target?: PaimonTagRef): Promise<void> {
  if (target === undefined) return chooseInTree(world, "a tag");
  const newName = await askInSteps(`Rename the tag ${target.tag} of ${target.table}`, 1, async (ask) => {
    const tags = await ask.wait("Reading the table", async (signal) => {
      const table = await world.warehouses.table(target, signal);
      return table === undefined ? [] : (await world.warehouses.tags(target.warehouse, table, 10_000, signal)).items.map(({ name }) => name);
    });
    const why = /^savepoint-\d+$/.test(target.tag) ? " A job restored from its savepoint makes the old name again." : "";
    return ask.enter({ prompt: `What is it called from now on?${why}`, initial: target.tag, check: (text) => nameRemark(text, tags) });
  });
  if (newName !== undefined) await act(world, target, { kind: "rename-tag", tag: target.tag, newName });
}

/** *Compare with…* of a tag: what two tags of a table keep, and how its columns changed between them. */
export async function compareTags(world: CommandWorld, target?: PaimonTagRef): Promise<void> {
  if (target === undefined) return chooseInTree(world, "a tag");
  const now = world.clock.now();
  const other = await askInSteps(`Compare the tag ${target.tag} of ${target.table}`, 1, async (ask) => {
    const tags = await ask.wait("Reading the table", async (signal) => {
      const table = await world.warehouses.table(target, signal);
      return table === undefined ? [] : (await world.warehouses.tags(target.warehouse, table, listed, signal)).items.flatMap(({ content }) => content ?? []);
    });
    const others = tags.filter(({ name }) => name !== target.tag);
    if (others.length === 0) {
      world.notify.refused(`${target.table} has no other tag to compare ${target.tag} with.`);
      return undefined;
    }
    return ask.choose({ placeholder: "With which tag?", choices: others.map((tag): Choice<string> => ({ label: `$(tag) ${oneLine(tag.name, 80)}`, description: joinText(`snapshot ${tag.snapshot.id}`, ageText(tag.snapshot.timeMs, now)), value: tag.name })) });
  });
  if (other !== undefined) await (await world.paimon()).showCompared(target, other);
}

/** *Copy Command*: what is done to a tag, for the Flink at hand (P-25). */
export async function copyTagCommand(world: CommandWorld, target?: PaimonTagRef): Promise<void> {
  if (target === undefined) return chooseInTree(world, "a tag");
  const line = await askInSteps(`Copy a command for the tag ${target.tag}`, 2, async (ask) => {
    const action = await ask.choose<PaimonAction | "read">({
      placeholder: "A command that does what?",
      choices: [
        { label: "$(search) Reads the table as the tag keeps it", value: "read" },
        { label: "$(discard) Rolls the table back to it", description: "deletes later snapshots and tags; all tables of a job, or none", value: { kind: "roll-back", tag: target.tag } },
        { label: "$(trash) Deletes the tag", value: { kind: "delete-tag", tag: target.tag } },
        { label: "$(edit) Renames the tag", description: "from Paimon 1.0 on", value: { kind: "rename-tag", tag: target.tag, newName: "NEW_NAME" } },
      ],
    });
    const profile = world.warehouses.profile(target.warehouse);
    if (action === "read") return `${readTagStatement(profile.catalog, tableAddress(target.table), target.tag)};`;
    const subject = { warehouse: target.warehouse, address: tableAddress(target.table) };
    const forms = ([["Flink SQL", "1.19 and newer", { major: 1, minor: 19, text: "1.19" }], ["Flink SQL", "1.18", { major: 1, minor: 18, text: "1.18" }], ["Paimon's action command", "no cluster needed", undefined]] as const)
      .flatMap(([label, description, sql]) => {
        const text = actionLine(subject, action, { sql, profile: () => profile });
        return text === undefined ? [] : [{ label, description, detail: oneLine(text, 300), value: text }];
      });
    return ask.choose({ placeholder: "In which form?", choices: forms });
  });
  if (line !== undefined) await copyText("command", line);
}

async function act(world: CommandWorld, { warehouse, table }: TableRef, action: PaimonAction): Promise<boolean> {
  const tables = await world.paimonTables();
  const done = await waitFor(world, `${table}: ${tagVerbs[action.kind]}`, async (run) => {
    await tables.actions(warehouse).act(tableAddress(table), action, run);
    return true;
  });
  world.explorer.refresh();
  return done === true;
}

const tagVerbs: Readonly<Record<PaimonAction["kind"], string>> = { "create-tag": "making a tag", "replace-tag": "making a tag", "delete-tag": "deleting a tag", "rename-tag": "renaming a tag", "roll-back": "rolling back", "create-branch": "making a branch", "delete-branch": "deleting a branch" };

async function askSnapshot(ask: Steps, world: CommandWorld, snapshots: readonly PaimonSnapshot[]): Promise<number | undefined> {
  const now = world.clock.now();
  if (snapshots.length === 0) {
    world.notify.refused("The table has no snapshot yet.");
    return undefined;
  }
  const chosen = await ask.choose<number | "time">({
    placeholder: "A tag of which snapshot?",
    choices: [
      ...snapshots.slice(0, 1).map(({ id, timeMs }) => ({ label: `$(history) The newest, ${id}`, description: ageText(timeMs, now), value: id })),
      { label: "$(calendar) The table as it was at a time…", value: "time" as const },
      ...snapshots.slice(1, listed).map(({ id, timeMs, commitKind, totalRecordCount }) => ({ label: `$(history) ${id}`, description: joinText(ageText(timeMs, now), timeText(timeMs), commitKind.toLowerCase(), totalRecordCount === null ? null : countText(totalRecordCount, "row")), value: id })),
    ],
  });
  if (chosen !== "time") return chosen;
  const oldest = snapshots[snapshots.length - 1];
  const at = (text: string): PaimonSnapshot | undefined => {
    const timeMs = Date.parse(text);
    return Number.isNaN(timeMs) ? undefined : snapshots.find((snapshot) => snapshot.timeMs <= timeMs);
  };
  const text = await ask.enter({
    prompt: "When? In this machine's time unless a zone is given.", placeholder: "such as 2026-03-01 14:30 or 2026-03-01T14:30:00Z",
    check: (typed): Remark | undefined => {
      const snapshot = at(typed);
      if (snapshot !== undefined) return { severity: "information", text: `Snapshot ${snapshot.id} of ${timeText(snapshot.timeMs)}.` };
      return { severity: "error", text: Number.isNaN(Date.parse(typed)) ? "This is no time." : `The oldest snapshot that is left is of ${timeText(oldest?.timeMs ?? 0)}.` };
    },
  });
  return at(text)?.id;
}

/** How long a tag is kept, milliseconds; null for ever. */
export async function askRetention(ask: Steps): Promise<number | null> {
  const chosen = await ask.choose<number | null | "other">({
    placeholder: "How long is it kept?",
    choices: [{ label: "$(infinity) For ever", description: "until it is deleted", value: null }, ...[7, 30, 90].map((days) => ({ label: `$(watch) ${days} days`, value: days * dayMs })), { label: "$(edit) Another time…", value: "other" }],
  });
  if (chosen !== "other") return chosen;
  const parse = (text: string): number | undefined => {
    const found = /^(\d{1,6})\s*(d|h|min)$/.exec(text);
    return found === null || Number(found[1]) === 0 ? undefined : Number(found[1]) * { d: dayMs, h: 3_600_000, min: 60_000 }[found[2] as "d" | "h" | "min"];
  };
  return parse(await ask.enter({ prompt: "Days, hours or minutes.", placeholder: "such as 14 d, 36 h or 90 min", check: (text) => (parse(text) === undefined ? { severity: "error", text: "Write a number and d, h or min." } : { severity: "information", text: `It is kept ${retentionText(parse(text) ?? 0)}.` }) })) ?? null;
}

function nameRemark(text: string, tags: readonly string[]): Remark | undefined {
  const fault = nameFault(text);
  if (fault !== undefined) return { severity: "error", text: `The name ${fault}.` };
  if (tags.includes(text)) return { severity: "error", text: "The table has a tag of that name." };
  return /^savepoint-\d+$/.test(text) ? { severity: "warning", text: "Paimon gives this name to a savepoint's tag: where it is taken, it makes none, and a checkpoint of that number that fails deletes it." } : undefined;
}

async function tagOf(world: CommandWorld, target: PaimonTagRef, signal: AbortSignal): Promise<PaimonTag | undefined> {
  return (await world.warehouses.tag(target, signal))?.content;
}

async function snapshotIdOf(world: CommandWorld, target: PaimonTagRef): Promise<number | undefined> {
  const row = await world.warehouses.tag(target, new AbortController().signal);
  return row?.content?.snapshot.id ?? row?.told?.snapshotId;
}

/** Names of other tags that keep the same snapshot. */
async function othersOf(world: CommandWorld, target: PaimonTagRef, { name, snapshot }: PaimonTag, signal: AbortSignal): Promise<readonly string[]> {
  const table = await world.warehouses.table(target, signal);
  const rows = table === undefined ? [] : (await world.warehouses.tags(target.warehouse, table, 10_000, signal)).items;
  return rows.flatMap(({ content }) => (content !== undefined && content.name !== name && content.snapshot.id === snapshot.id && content.snapshot.commitUser === snapshot.commitUser && content.snapshot.timeMs === snapshot.timeMs ? [content.name] : []));
}

async function isSnapshotAlive(world: CommandWorld, target: PaimonTagRef, signal: AbortSignal): Promise<boolean> {
  const tag = await tagOf(world, target, signal);
  return tag !== undefined && (await world.warehouses.textOf({ warehouse: target.warehouse, table: target.table, snapshotId: tag.snapshot.id }, signal)) !== undefined;
}

function chooseInTree(world: CommandWorld, what: string): void {
  world.notify.refused(`Choose ${what} in the tree, below Paimon.`, world.warehouses.list().length === 0 ? [{ title: "Add Warehouse…", command: "flinkSavepoints.addWarehouse" }] : []);
}
