import { ageText, countText, timeText } from "../wording";
import { endOfInput, type PaimonTag } from "./snapshot";

/** A column of a table's schema, as `schema/schema-N` has it. */
export interface SchemaField {
  readonly name: string;
  readonly type: string;
}

/** The columns in the `fields` of a schema. */
export function schemaFields(fields: readonly unknown[]): readonly SchemaField[] {
  return fields.flatMap((field) => {
    const { name, type } = (typeof field === "object" && field !== null ? field : {}) as { name?: unknown; type?: unknown };
    return typeof name === "string" ? [{ name, type: typeof type === "string" ? type : JSON.stringify(type) }] : [];
  });
}

/** A tag with the columns that its snapshot was written with. */
export interface TagWithSchema {
  readonly tag: PaimonTag;
  readonly fields: readonly SchemaField[] | undefined;
}

/** Two tags of a table side by side, as a page: what they keep, and how the columns changed between them. */
export function comparedTags(table: string, left: TagWithSchema, right: TagWithSchema, nowMs: number): string {
  const [older, newer] = left.tag.snapshot.id <= right.tag.snapshot.id ? [left, right] : [right, left];
  const [a, b] = [older.tag.snapshot, newer.tag.snapshot];
  const rows: readonly (readonly [string, string, string])[] = [
    ["snapshot", String(a.id), String(b.id)],
    ["committed", `${timeText(a.timeMs)} (${ageText(a.timeMs, nowMs)})`, `${timeText(b.timeMs)} (${ageText(b.timeMs, nowMs)})`],
    ["commit user", a.commitUser, b.commitUser],
    ["commit identifier", identifierText(a.commitIdentifier), identifierText(b.commitIdentifier)],
    ["rows as stored, not merged", rowsText(a.totalRecordCount), rowsText(b.totalRecordCount)],
    ["schema", String(a.schemaId), String(b.schemaId)],
    ["kept", keptText(older.tag.retainedMs), keptText(newer.tag.retainedMs)],
  ];
  const more = a.totalRecordCount === null || b.totalRecordCount === null ? null : b.totalRecordCount - a.totalRecordCount;
  return [
    `# ${table}: ${older.tag.name} and ${newer.tag.name}`, "",
    `| | ${older.tag.name} | ${newer.tag.name} |`, "|---|---|---|",
    ...rows.map(([what, one, other]) => `| ${what} | ${one} | ${one === other ? "the same" : other} |`), "",
    `${a.id === b.id ? "Both keep the same snapshot." : `${countText(b.id - a.id, "commit")} between them${more === null ? "" : `, ${more >= 0 ? "+" : "−"}${Math.abs(more).toLocaleString("en")} rows as stored`}.`}${a.commitUser === b.commitUser ? "" : " They are of different writers."}`, "",
    "## Columns", "", ...columnLines(older.fields, newer.fields), "",
  ].join("\n");
}

function columnLines(older: readonly SchemaField[] | undefined, newer: readonly SchemaField[] | undefined): readonly string[] {
  if (older === undefined || newer === undefined) return ["The schema of one of them can't be read."];
  const lines = newer.flatMap(({ name, type }) => {
    const before = older.find((field) => field.name === name);
    return before === undefined ? [`- added ${name} ${type}`] : before.type === type ? [] : [`- ${name} was ${before.type} and is ${type}`];
  });
  lines.push(...older.filter(({ name }) => !newer.some((field) => field.name === name)).map(({ name, type }) => `- dropped ${name} ${type}`));
  return lines.length === 0 ? [`The ${countText(newer.length, "column")} are the same.`] : lines;
}

const identifierText = (identifier: bigint): string => (identifier === endOfInput ? "end of the input, or batch" : String(identifier));
const rowsText = (rows: number | null): string => (rows === null ? "not noted" : rows.toLocaleString("en"));
const keptText = (ms: number | null): string => (ms === null ? "for ever" : `${(ms / 86_400_000).toLocaleString("en", { maximumFractionDigits: 2 })} days from its creation on`);
