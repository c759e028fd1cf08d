import * as z from "zod";

/**
 * The JSON that `flink-savepoints` writes, in one place: the types of `report.ts` and the JSON Schemas in `docs/schema` come from here. Numbers
 * that are 64 bits wide in Flink (ids of checkpoints, sizes of state) are decimal strings always, so that none is ever rounded.
 */

const int64 = z.string().regex(/^-?\d+$/).meta({ description: "A 64-bit number in decimal digits." });
const count = z.int().min(0);
const role = z.enum(["managedOperatorState", "managedKeyedState", "rawKeyedState"]);

/** A finding while reading, with its sentence (`Problem`). */
export const problemSchema = z.strictObject({
  code: z.string().meta({ description: "Stable name of the kind of problem." }),
  severity: z.enum(["error", "warning"]).meta({ description: "An error ended the reading there; a warning is something that Flink accepts, or never writes." }),
  offset: count.meta({ description: "Byte offset of the field at fault, in _metadata or in the state file." }),
  path: z.string().meta({ description: "The field, such as operators[3].subtasks[0].managedKeyedState." }),
  message: z.string(),
}).meta({ id: "problem" });

/** A serializer with those nested in it, as Flink's `TypeSerializerSnapshot` tells; before Flink 1.7 only its Java object. */
export const serializerSchema = z.strictObject({
  text: z.string().meta({ description: "In a few words." }),
  snapshot: z.string().optional().meta({ description: "Class of the serializer's snapshot (Flink 1.7 and newer)." }),
  serializer: z.string().optional().meta({ description: "Class of the serializer (before Flink 1.7)." }),
  version: z.int().optional(),
  outerVersion: z.int().optional(),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional().meta({ description: "What the snapshot tells besides: class, fields, constants, schema, types." }),
  opaqueBytes: count.optional().meta({ description: "Length of a snapshot that only the user's class can read." }),
  get nested() {
    return z.array(serializerSchema).optional();
  },
}).meta({ id: "serializer" });

/** A registered state, joined over the subtasks of its operator (`StateMetaInfoSnapshot`). */
export const stateSchema = z.strictObject({
  name: z.string(),
  kind: z.string().meta({ description: "VALUE, LIST, MAP, REDUCING, AGGREGATING, FOLDING, SPLIT_DISTRIBUTE, UNION, BROADCAST or TIMERS." }),
  type: z.enum(["KEY_VALUE", "OPERATOR", "BROADCAST", "PRIORITY_QUEUE", "KEY_VALUE_V2", "RAW_TIMERS"]),
  role,
  ttl: z.boolean(),
  keySerializer: serializerSchema.nullable(),
  serializers: z.record(z.string(), serializerSchema).meta({ description: "By Flink's name: NAMESPACE_SERIALIZER, VALUE_SERIALIZER, KEY_SERIALIZER, USER_KEY_SERIALIZER." }),
  subtasks: count.meta({ description: "Subtasks that have the state." }),
  entries: count.nullable().meta({ description: "Entries, or elements of operator state; null where they were not counted." }),
}).meta({ id: "state" });

/** Bytes by what they are state of, as `OperatorSubtaskState` divides it. */
export const sizesSchema = z.strictObject({
  coordinatorBytes: int64, managedOperatorBytes: int64, rawOperatorBytes: int64, managedKeyedBytes: int64, rawKeyedBytes: int64, inputChannelBytes: int64, outputChannelBytes: int64,
  legacyBytes: int64.meta({ description: "State of the Checkpointed interface (Flink 1.2 and 1.3)." }),
});

/** What the header of one state stream tells, and with `--entries` its body. */
export const stateFileSchema = z.strictObject({
  subtask: z.int(),
  role,
  kind: z.enum(["keyed", "operator", "rawTimers", "changelog"]),
  path: z.string().nullable().meta({ description: "As in the metadata; null for state inside it." }),
  version: z.int().nullable(),
  compressed: z.boolean().nullable(),
  headerEnd: count.nullable(),
  dataFormat: z.enum(["canonical", "heap"]).nullable(),
  states: z.array(z.string()).meta({ description: "Names, in the header's order; their serializers are with the operator." }),
  entries: z.record(z.string(), z.strictObject({ total: count, keyGroups: count })).nullable(),
  partitions: z.record(z.string(), count).nullable(),
  services: z.record(z.string(), z.strictObject({ eventTime: count, processingTime: count })).nullable(),
  operations: z.record(z.string(), z.record(z.string(), count)).nullable().meta({ description: "Changes of a changelog by number of the state." }),
  stoppedAt: z.array(z.strictObject({ state: z.string(), why: z.string(), keyGroups: count })),
  readBytes: count,
  problems: z.array(problemSchema),
}).meta({ id: "stateFile" });

/** An operator (`OperatorState`; in version 1 a task). */
export const operatorSchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{32}$/).meta({ description: "Operator id as Flink prints it; of the job vertex in version 1." }),
  uid: z.string().nullable().meta({ description: "Null before version 5, and where the job gave none." }),
  name: z.string().nullable(),
  uidMatchesId: z.boolean().nullable().meta({ description: "The uid hashes to the id; null without a uid." }),
  parallelism: z.int(),
  maxParallelism: z.int(),
  chainLength: z.int(),
  subtasks: count.meta({ description: "Subtasks in the file; those without state may be left out." }),
  fullyFinished: z.boolean(),
  hasCoordinatorState: z.boolean(),
  sizeBytes: int64.meta({ description: "OperatorState.getStateSize, the coordinator's state included." }),
  sizes: sizesSchema,
  offset: count.meta({ description: "Where the operator is in _metadata." }),
  lengthBytes: count,
  whole: z.boolean().meta({ description: "False for the operator that the file broke off in." }),
  stateFiles: z.array(stateFileSchema).optional().meta({ description: "With --states: what each state stream of its subtasks tells." }),
  states: z.array(stateSchema).optional().meta({ description: "With --states: its states, from all of those streams." }),
}).meta({ id: "operator" });

/** State of a hook of the job master (`MasterState`). */
const masterStateSchema = z.strictObject({ name: z.string(), version: z.int(), sizeBytes: count });

/** `CheckpointProperties`, which version 4 and newer hold as a Java object. */
const propertiesSchema = z.strictObject({
  forced: z.boolean(), discardSubsumed: z.boolean(), discardFinished: z.boolean(), discardCancelled: z.boolean(), discardFailed: z.boolean(), discardSuspended: z.boolean(), unclaimed: z.boolean(),
  checkpointType: z.union([
    z.strictObject({ class: z.literal("CheckpointType"), name: z.string(), sharingFilesStrategy: z.string() }),
    z.strictObject({ class: z.literal("SavepointType"), name: z.string(), formatType: z.string(), postCheckpointAction: z.string() }),
  ]),
}).meta({ id: "checkpointProperties" });

/** Whether the folder can be moved or copied alone, with the reasons against it. */
export const selfContainedSchema = z.strictObject({
  verdict: z.enum(["relocatable", "fixed", "dependent", "unknown"]).meta({
    description: "relocatable: the folder can be moved as a whole. fixed: all files lie in it, by absolute paths. dependent: it needs files outside. unknown: the metadata was not read whole.",
  }),
  reasons: z.array(z.strictObject({
    reason: z.enum(["absolute-inside", "written-elsewhere", "entropy", "shared", "task-owned", "changelog", "merged", "elsewhere", "unsafe"]),
    handles: count,
    sizeBytes: int64.meta({ description: "Sum over the handles; unknown sizes do not count." }),
    example: z.string(),
    message: z.string(),
  })),
  relativeHandles: count,
  absoluteHandles: count,
  examinedHandles: count.meta({ description: "Absolute handles whose paths were looked at; fewer than all in very large files." }),
}).meta({ id: "selfContained" });

/** Sums over the file; of one that broke off, over what was read. */
const totalsSchema = sizesSchema.extend({
  operators: count.meta({ description: "Operators that the file announces; more than are listed when it broke off." }),
  fullyFinishedOperators: count, subtasks: count, finishedSubtasks: count, subtasksWithState: count, coordinatorStates: count, masterStates: count,
  stateBytes: int64,
  distinctFiles: count.meta({ description: "Files outside the metadata, each counted once." }),
  distinctFileBytes: int64,
  inlineBytes: count.meta({ description: "State inside the metadata." }),
  unknownSizes: count.meta({ description: "Handles whose writer did not know the size." }),
});

const headShape = {
  version: z.int().meta({ description: "Version of the metadata's format, 1 to 7." }),
  checkpointId: int64,
  kind: z.enum(["canonical savepoint", "native savepoint", "checkpoint", "checkpoint or native savepoint", "unknown"]),
};

const releases = z.strictObject({ from: z.string(), to: z.string().nullable() });

/** The facts of a whole snapshot: all but operators and problems, which are written one by one. */
export const inspectHeadSchema = z.strictObject({
  path: z.string().meta({ description: "The file that was read." }),
  ...headShape,
  layout: z.enum(["usual", "1.11", "1.14"]).meta({ description: "Version 3 has layouts of two Flink releases that the file does not name." }),
  writtenBy: releases.nullable().meta({ description: "Flink releases that write this version." }),
  readBy: releases.nullable().meta({ description: "Flink releases that read it; to is null where the newest does." }),
  fileSizeBytes: count,
  whole: z.boolean().meta({ description: "The file was read to its end." }),
  trailingBytes: count,
  checkpointProperties: propertiesSchema.nullable(),
  masterStates: z.array(masterStateSchema),
  handleKinds: z.record(z.string(), count).meta({ description: "Handles by kind and tag." }),
  totals: totalsSchema,
  totalSizeBytes: int64.meta({ description: "Sum of the operators' sizes." }),
  selfContained: selfContainedSchema,
});

/** What `inspect --json` writes. */
export const inspectSchema = inspectHeadSchema.extend({
  operators: z.array(operatorSchema).meta({ description: "In the file's order." }),
  statesReadBytes: count.optional().meta({ description: "With --states: bytes read for it." }),
  problems: z.array(problemSchema).meta({ description: "Of the metadata; those of state files are with them." }),
  problemCount: count.meta({ description: "All of the metadata's problems, also those beyond the ones listed." }),
}).meta({ title: "flink-savepoints inspect --json" });

const side = z.strictObject({ path: z.string(), ...headShape, whole: z.boolean(), operators: count, totalSizeBytes: int64, problems: z.array(problemSchema) });
const comparedOperator = operatorSchema.pick({ id: true, uid: true, name: true, parallelism: true, maxParallelism: true, subtasks: true, fullyFinished: true, sizeBytes: true });
const comparedState = stateSchema.pick({ kind: true, type: true, ttl: true });

/** An operator of one side or of both, and what differs in it; `left` is null for one that was added, `right` for one that was removed. */
export const operatorDifferenceSchema = z.strictObject({
  change: z.enum(["added", "removed", "changed", "same"]),
  matchedBy: z.enum(["id", "uid", "name"]).nullable(),
  changes: z.array(z.enum(["id", "uid", "name", "size", "parallelism", "maxParallelism", "subtasks", "fullyFinished", "states"])),
  deltaBytes: int64,
  left: comparedOperator.nullable(),
  right: comparedOperator.nullable(),
  states: z.array(z.strictObject({
    name: z.string(),
    change: z.enum(["added", "removed", "changed"]),
    left: comparedState.nullable(),
    right: comparedState.nullable(),
    serializers: z.array(z.strictObject({ key: z.string(), left: z.string().nullable(), right: z.string().nullable() })),
  })).nullable().meta({ description: "Those that differ; null when the states of one side were not read." }),
}).meta({ id: "operatorDifference" });

/** What `diff --json` writes. */
export const diffSchema = z.strictObject({
  left: side,
  right: side,
  counts: z.strictObject({ added: count, removed: count, changed: count, same: count }),
  deltaBytes: int64,
  incomplete: z.boolean().meta({ description: "One side was not read whole, so that operators may seem added or removed that are not." }),
  operators: z.array(operatorDifferenceSchema),
}).meta({ title: "flink-savepoints diff --json" });

/** The files of `docs/schema` by name, as text. */
export function schemaFiles(): Readonly<Record<string, string>> {
  const text = (schema: z.ZodType): string => `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`;
  return { "inspect.schema.json": text(inspectSchema), "diff.schema.json": text(diffSchema) };
}
