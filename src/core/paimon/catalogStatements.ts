import { literal, quotedName, tableAddress } from "./actions";
import type { PaimonTable } from "./warehouse";

/** What makes a statement's rows: a batch job of one task, under a name that its cluster's users can tell from theirs. */
export const readingConfig: Readonly<Record<string, string>> = { "execution.runtime-mode": "batch", "parallelism.default": "1", "pipeline.name": "flink-savepoints reads what a Paimon table keeps" };

/** The instant of a `TIMESTAMP(3)` that Paimon made of its own in the zone of its machine, by the gateway's: seconds, and milliseconds beside them. */
const instant = (column: string, name: string): string => `UNIX_TIMESTAMP(DATE_FORMAT(${column}, 'yyyy-MM-dd HH:mm:ss')) AS ${name}, DATE_FORMAT(${column}, 'SSS') AS ${name}_ms`;

/** Databases of the current catalog. */
export const showDatabases = "SHOW DATABASES";

/** Has later statements of the session mean a catalog: `SHOW DATABASES IN` is too new for some releases. */
export function useCatalog(catalog: string): string {
  return `USE CATALOG ${quotedName(catalog)}`;
}

/** Tables of a database, views among them. */
export function showTables(catalog: string, database: string): string {
  return `SHOW TABLES IN ${quotedName(catalog)}.${quotedName(database)}`;
}

/**
 * The first tags of a table, those of savepoints with the highest number first, with how many there are, and of those whose snapshot is alive the commit: `$tags`
 * (`TagsTable`) has no commit user, `$snapshots` (`SnapshotsTable`) has only what has not expired, and an id alone may be another's after a rollback.
 */
export function tagsStatement(catalog: string, table: PaimonTable, { most, name }: { readonly most: number; readonly name?: string }): string {
  return [
    `SELECT t.tag_name, t.snapshot_id, t.schema_id, ${instant("t.commit_time", "committed")}, t.record_count, ${instant("t.create_time", "made")}, t.time_retained,`,
    "s.commit_user, s.commit_identifier, s.commit_kind, s.delta_manifest_list, COUNT(*) OVER () AS total",
    `FROM ${system(catalog, table, "tags")} AS t LEFT JOIN ${system(catalog, table, "snapshots")} AS s ON t.snapshot_id = s.snapshot_id AND t.commit_time = s.commit_time`,
    ...(name === undefined ? [] : [`WHERE t.tag_name = ${literal(name)}`]),
    "ORDER BY TRY_CAST(REGEXP_EXTRACT(t.tag_name, '^savepoint-([0-9]{1,15})$', 1) AS BIGINT) DESC, t.tag_name",
    `LIMIT ${most}`,
  ].join(" ");
}

/** The newest snapshots of a table, with how many there are. */
export function snapshotsStatement(catalog: string, table: PaimonTable, { most, id }: { readonly most: number; readonly id?: number }): string {
  return [
    `SELECT snapshot_id, schema_id, commit_user, commit_identifier, commit_kind, ${instant("commit_time", "committed")}, total_record_count, delta_manifest_list, COUNT(*) OVER () AS total`,
    `FROM ${system(catalog, table, "snapshots")}`,
    ...(id === undefined ? [] : [`WHERE snapshot_id = ${id}`]),
    `ORDER BY snapshot_id DESC LIMIT ${most}`,
  ].join(" ");
}

/** For each of these tables the newest snapshot that one of these commit users made, or null. */
export function writtenStatement(catalog: string, tables: readonly PaimonTable[], users: readonly string[]): string {
  const wanted = users.map(literal).join(", ");
  return tables.map((table) => `SELECT ${literal(table.name)} AS table_name, MAX(snapshot_id) AS newest FROM ${system(catalog, table, "snapshots")} WHERE commit_user IN (${wanted})`).join(" UNION ALL ");
}

/** Branches of a table by name (`BranchesTable`). */
export function branchesStatement(catalog: string, table: PaimonTable): string {
  return `SELECT branch_name FROM ${system(catalog, table, "branches")} ORDER BY branch_name`;
}

/** The schemas of a table (`SchemasTable`), the newest first: `fields` and `options` are JSON. */
export function schemasStatement(catalog: string, table: PaimonTable, { id }: { readonly id?: number } = {}): string {
  return `SELECT schema_id, \`fields\`, \`options\` FROM ${system(catalog, table, "schemas")}${id === undefined ? "" : ` WHERE schema_id = ${id}`} ORDER BY schema_id DESC LIMIT 1`;
}

/** Readers that note where they got to (`ConsumersTable`). */
export function consumersStatement(catalog: string, table: PaimonTable): string {
  return `SELECT consumer_id, next_snapshot_id FROM ${system(catalog, table, "consumers")}`;
}

/**
 * The data files that a snapshot's commit changed: those of `$files` (`FilesTable`) at it and not at the one before, and the other way round. With their level, since
 * a compaction may lift a file as it is.
 */
export function changedFilesStatement(catalog: string, table: PaimonTable, snapshotId: number): string {
  const at = (id: number): string => `SELECT file_path, level FROM ${system(catalog, table, "files")} /*+ OPTIONS('scan.snapshot-id' = '${id}') */`;
  return snapshotId === 1 ? at(1) : `(${at(snapshotId)} EXCEPT ${at(snapshotId - 1)}) UNION ALL (${at(snapshotId - 1)} EXCEPT ${at(snapshotId)})`;
}

/** One of the table's present data files whose name has one of these unique parts; undefined where none of them can be one, since an empty expression would fit every file. */
export function heldFileStatement(catalog: string, table: PaimonTable, files: ReadonlySet<string>): string | undefined {
  const plain = [...files].filter((file) => /^[0-9a-f-]+$/.test(file));
  return plain.length === 0 ? undefined : `SELECT file_path FROM ${system(catalog, table, "files")} WHERE REGEXP(file_path, ${literal(plain.join("|"))}) LIMIT 1`;
}

function system(catalog: string, { name }: PaimonTable, what: string): string {
  const { database, table } = tableAddress(name);
  return [catalog, database, `${table}$${what}`].map(quotedName).join(".");
}
