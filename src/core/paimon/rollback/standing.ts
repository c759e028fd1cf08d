import type { RollbackRecord } from "../../ledger/record";
import { joinText } from "../../rowText";
import { countText } from "../../wording";

/** How far a rollback is, in a line: `1 of 2 tables rolled back`. */
export function progressText(record: RollbackRecord): string {
  const done = record.tables.filter(({ state }) => state === "rolled-back").length;
  const failed = record.tables.filter(({ state }) => state === "failed");
  return joinText(
    done === record.tables.length ? `${done === 1 ? "its table is" : `all ${done} tables are`} rolled back` : `${done} of ${countText(record.tables.length, "table")} rolled back`,
    failed.length === 0 ? null : `failed: ${failed.map(({ table }) => table).join(", ")}`,
    record.state === "restoring" ? "the job was started" : null,
  );
}

/** What is done and what is not, table by table. */
export function standingLines(record: RollbackRecord): readonly string[] {
  return record.tables.map(({ table, tag, target, state, message }) => {
    switch (state) {
      case "planned": return `${table}: not touched`;
      case "rolling": return `${table}: its rollback to ${tag.name} was begun; the table is looked at before anything else`;
      case "rolled-back": return `${table}: is at ${tag.name} (snapshot ${target.id})`;
      case "failed": return `${table}: ${message ?? "failed"}`;
    }
  });
}
