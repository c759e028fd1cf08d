import type { ByteReader } from "./byteReader";
import { readJavaObject, type JavaValue } from "./javaStream";

/** Why a snapshot was taken and what may become of it (`CheckpointProperties`, metadata version 4 on). */
export interface CheckpointProperties {
  readonly forced: boolean;
  readonly discardSubsumed: boolean;
  readonly discardFinished: boolean;
  readonly discardCancelled: boolean;
  readonly discardFailed: boolean;
  readonly discardSuspended: boolean;
  /** Taken while a NO_CLAIM restore was not yet settled. */
  readonly unclaimed: boolean;
  readonly snapshotType: SnapshotType;
}

/** `CheckpointType` or `SavepointType`; names are Flink's own, such as "Suspend Savepoint". */
export type SnapshotType =
  | { readonly kind: "checkpoint"; readonly name: string; readonly sharingFilesStrategy: string }
  | { readonly kind: "savepoint"; readonly name: string; readonly formatType: string; readonly postCheckpointAction: string };

const className = "org.apache.flink.runtime.checkpoint.CheckpointProperties";

/** Reads the Java stream at the end of the metadata; null where Flink wrote none (State Processor API). Throws `ProblemError`. */
export function readProperties(reader: ByteReader, maxDepth: number): CheckpointProperties | null {
  const { value } = readJavaObject(reader, maxDepth);
  if (value.type === "null") return null;
  if (value.type !== "object" || value.className !== className) reader.fail("properties-unexpected", "", { className: value.type === "object" ? value.className : value.type });
  const { fields } = value;
  const flag = (name: string): boolean => {
    const found = fields.get(name);
    return found?.type === "boolean" ? found.value : false;
  };
  return {
    forced: flag("forced"),
    discardSubsumed: flag("discardSubsumed"),
    discardFinished: flag("discardFinished"),
    discardCancelled: flag("discardCancelled"),
    discardFailed: flag("discardFailed"),
    discardSuspended: flag("discardSuspended"),
    unclaimed: flag("unclaimed"),
    snapshotType: snapshotTypeOf(fields.get("checkpointType")) ?? reader.fail("properties-unexpected", "checkpointType", { className: "none" }),
  };
}

function snapshotTypeOf(value: JavaValue | undefined): SnapshotType | undefined {
  if (value?.type !== "object") return undefined;
  const { fields } = value;
  const text = (name: string): string => {
    const found = fields.get(name);
    return found?.type === "string" ? found.value : found?.type === "enum" ? found.constant : "";
  };
  if (value.className.endsWith(".SavepointType")) {
    return { kind: "savepoint", name: text("name"), formatType: text("formatType"), postCheckpointAction: text("postCheckpointAction") };
  }
  return { kind: "checkpoint", name: text("name"), sharingFilesStrategy: text("sharingFilesStrategy") };
}
