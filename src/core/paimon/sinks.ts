import type { TableRef } from "../contributions";

/** What a running job's graph, or its last savepoint, says of one Paimon table that it writes. */
export interface PaimonSink {
  /** Without its database where only the graph tells. */
  readonly table: string;
  /**
   * Whether its savepoints get tags: `on` and `off` by a savepoint of this very job, since that can't change while it runs; `table-on` and `table-off`
   * by the table's options, which a hint of the job may override; `unknown` otherwise.
   */
  readonly autoTag: "on" | "off" | "table-on" | "table-off" | "unknown";
  /** The tables of the warehouses that it is, or may be by its name. */
  readonly places: readonly TableRef[];
}

/** The Paimon sinks of a job, and how that is known. */
export interface PaimonSinks {
  readonly seenIn: "graph" | "savepoint";
  readonly sinks: readonly PaimonSink[];
}

/**
 * Names of the Paimon tables that a job commits to, by the names of its vertices (`FlinkSink`: `Global Committer : table`), in their order. A chain's
 * vertex has the names of all its operators. Compaction jobs commit too; a table's database is in no name.
 */
export function committedTables(vertexNames: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const name of vertexNames) for (const [, table] of name.matchAll(/(?:^|-> |: )Global Committer ?: ?(\S+)/g)) if (table !== undefined) found.add(table);
  return [...found];
}
