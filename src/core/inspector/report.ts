import type * as z from "zod";
import type { Comparison, OperatorDifference } from "../metadata/compare";
import type { Metadata, OperatorEntry, OperatorTable } from "../metadata/metadata";
import type { Problem } from "../metadata/problem";
import { problemText } from "../metadata/problemText";
import type { CheckpointProperties } from "../metadata/properties";
import type { SizeKind } from "../metadata/scanIndex";
import type { BoundFinding, SelfContainment } from "../metadata/selfContained";
import type { StateReading } from "../metadata/states/savepointStates";
import type { Serializer } from "../metadata/states/serializer";
import { numberText } from "../wording";
import { typeText } from "../metadata/states/typeText";
import type { OperatorStateEntry } from "../metadata/states/stateTable";
import { readersOf, releasesOf } from "../metadata/tags";
import type {
  diffSchema, inspectHeadSchema, inspectSchema, operatorDifferenceSchema, operatorSchema, problemSchema, selfContainedSchema, serializerSchema, sizesSchema, stateFileSchema, stateSchema,
} from "./reportSchema";

/** What `inspect --json` writes, whole; written piece by piece from the parts below. */
export type InspectReport = z.infer<typeof inspectSchema>;
/** Everything before the operators. */
export type InspectHead = z.infer<typeof inspectHeadSchema>;
/** An operator. */
export type OperatorReport = z.infer<typeof operatorSchema>;
/** A state of an operator. */
export type StateReport = z.infer<typeof stateSchema>;
/** A serializer, with those in it. */
export type SerializerReport = z.infer<typeof serializerSchema>;
/** What one state stream told. */
export type StateFileReport = z.infer<typeof stateFileSchema>;
/** A finding with its sentence. */
export type ProblemReport = z.infer<typeof problemSchema>;
/** The verdict on moving the folder. */
export type SelfContainedReport = z.infer<typeof selfContainedSchema>;
/** What `diff --json` writes. */
export type DiffReport = z.infer<typeof diffSchema>;
/** An operator of a comparison. */
export type OperatorDifferenceReport = z.infer<typeof operatorDifferenceSchema>;

/** The facts of a whole snapshot. `path` is the file that was read. */
export function headReport(path: string, metadata: Metadata, selfContained: SelfContainment): InspectHead {
  const { totals, version, layout } = metadata;
  return {
    path,
    version,
    checkpointId: String(metadata.checkpointId),
    kind: metadata.kind,
    layout,
    writtenBy: releasesOf(version, layout) ?? null,
    readBy: readersOf(version) ?? null,
    fileSizeBytes: metadata.sizeBytes,
    whole: metadata.whole,
    trailingBytes: metadata.trailingBytes,
    checkpointProperties: metadata.properties === undefined || metadata.properties === null ? null : propertiesReport(metadata.properties),
    masterStates: metadata.masterStates.map(({ name, version: of, dataBytes }) => ({ name, version: of, sizeBytes: dataBytes })),
    handleKinds: Object.fromEntries(metadata.handleCounts),
    totals: {
      operators: totals.operators,
      fullyFinishedOperators: totals.fullyFinishedOperators,
      subtasks: totals.subtasks,
      finishedSubtasks: totals.finishedSubtasks,
      subtasksWithState: totals.subtasksWithState,
      coordinatorStates: totals.coordinators,
      masterStates: metadata.masterStates.length,
      ...sizesReport(totals.sizes),
      stateBytes: String(totals.stateBytes),
      distinctFiles: totals.distinctFiles,
      distinctFileBytes: String(totals.distinctFileBytes),
      inlineBytes: totals.inlineBytes,
      unknownSizes: totals.unknownSizes,
    },
    totalSizeBytes: String(totals.stateBytes),
    selfContained: selfContainedReport(selfContained),
  };
}

/** An operator; `states` where they were read. */
export function operatorReport(operators: OperatorTable, operator: OperatorEntry, states?: readonly OperatorStateEntry[]): OperatorReport {
  const { id, uid, name, parallelism, maxParallelism, chainLength, subtaskCount, fullyFinished, hasCoordinatorState, sizeBytes, sizes, offset, lengthBytes, whole, row } = operator;
  return {
    id, uid, name, uidMatchesId: operators.uidMatches(row) ?? null, parallelism, maxParallelism, chainLength, subtasks: subtaskCount, fullyFinished, hasCoordinatorState, sizeBytes: String(sizeBytes),
    sizes: sizesReport(sizes), offset, lengthBytes, whole,
    ...(states === undefined ? {} : { states: states.map(stateReport) }),
  };
}

/** A state of an operator. */
export function stateReport({ keySerializer, serializers, ...state }: OperatorStateEntry): StateReport {
  return {
    ...state,
    keySerializer: keySerializer === null ? null : serializerReport(keySerializer),
    serializers: Object.fromEntries(Object.entries(serializers).map(([key, serializer]) => [key, serializerReport(serializer)])),
  };
}

/** A serializer, with those in it. */
function serializerReport(serializer: Serializer): SerializerReport {
  const { className, version, outerVersion, facts, nested, opaqueBytes } = serializer;
  return {
    text: typeText(serializer, "brief"),
    ...(version === null ? { serializer: className } : { snapshot: className, version }),
    ...(outerVersion === null ? {} : { outerVersion }),
    ...(Object.keys(facts).length === 0 ? {} : { params: Object.fromEntries(Object.entries(facts).map(([key, fact]) => [key, typeof fact === "object" ? [...fact] : fact])) }),
    ...(opaqueBytes === null ? {} : { opaqueBytes }),
    ...(nested.length === 0 ? {} : { nested: nested.map(serializerReport) }),
  };
}

/** What one state stream told; its serializers are with the operator's states. */
export function stateFileReport(reading: StateReading): StateFileReport {
  const { subtask, role, kind, path, version, compressed, headerEnd, format, states, entries, partitions, timers, operations, stoppedAt, readBytes, problems } = reading;
  return {
    subtask, role, kind, path, version, compressed, headerEnd, dataFormat: format, states: states.map(({ name }) => name),
    entries: entries === null ? null : Object.fromEntries([...entries].map(([name, { total, perKeyGroup }]) => [name, { total, keyGroups: perKeyGroup.size }])),
    partitions: partitions === null ? null : Object.fromEntries(partitions),
    services: timers === null ? null : Object.fromEntries([...timers].map(([name, { eventTime, processingTime }]) => [name, { eventTime, processingTime }])),
    operations: operations === null ? null : Object.fromEntries([...operations].map(([id, counts]) => [String(id), Object.fromEntries(counts)])),
    stoppedAt: stoppedAt.map(({ state, className, keyGroups }) => ({ state, why: className, keyGroups })),
    readBytes,
    problems: problems.map(problemReport),
  };
}

/** A finding with its sentence. */
export function problemReport(problem: Problem): ProblemReport {
  const { code, severity, offset, path } = problem;
  return { code, severity, offset, path, message: problemText(problem) };
}

/** The verdict on moving the folder, with sentences. */
export function selfContainedReport({ verdict, findings, relativeHandles, absoluteHandles, examinedHandles }: SelfContainment): SelfContainedReport {
  const reasons = findings.map((finding) => ({ reason: finding.reason, handles: finding.handles, sizeBytes: String(finding.sizeBytes), example: finding.example, message: boundText(finding) }));
  return { verdict, reasons, relativeHandles, absoluteHandles, examinedHandles };
}

/** A verdict as a sentence. */
export function verdictText({ verdict, absoluteHandles }: Pick<SelfContainment, "verdict" | "absoluteHandles">): string {
  switch (verdict) {
    case "relocatable": return "Self-contained: the folder can be moved or copied as a whole.";
    case "fixed": return "Self-contained, but its files are named by absolute paths: it can't be moved.";
    case "dependent": return "Not self-contained: it needs files outside its folder.";
    case "unknown": return absoluteHandles > 0 ? "The file broke off; what was read names files by absolute paths." : "The file broke off, so whether it is self-contained is not known.";
  }
}

/** A reason as a sentence. */
export function boundText({ reason, handles }: Pick<BoundFinding, "reason" | "handles">): string {
  const these = handles === 1 ? "1 handle names" : `${numberText(handles)} handles name`;
  switch (reason) {
    case "absolute-inside": return `${these} files of this folder by absolute paths.`;
    case "written-elsewhere": return `${these} files by absolute paths in the folder where the snapshot was written.`;
    case "entropy": return `${these} files in folders with a random part (entropy injection).`;
    case "shared": return `${these} files that incremental checkpoints share.`;
    case "task-owned": return `${these} files that belong to tasks, such as a write-ahead log's.`;
    case "changelog": return `${these} files of the changelog.`;
    case "merged": return `${these} parts of files that checkpoints were merged into.`;
    case "elsewhere": return `${these} files elsewhere.`;
    case "unsafe": return `${these} files by relative paths that lead out of the folder.`;
  }
}

/** What `diff --json` writes of one side. */
export function sideReport(path: string, metadata: Metadata, problems: readonly Problem[]): DiffReport["left"] {
  const { version, checkpointId, kind, whole, totals } = metadata;
  return { path, version, checkpointId: String(checkpointId), kind, whole, operators: totals.operators, totalSizeBytes: String(totals.stateBytes), problems: problems.map(problemReport) };
}

/** A comparison as `diff --json` writes it. */
export function diffReport(left: DiffReport["left"], right: DiffReport["right"], { counts, deltaBytes, incomplete, operators }: Comparison): DiffReport {
  return { left, right, counts, deltaBytes: String(deltaBytes), incomplete, operators: operators.map(operatorDifferenceReport) };
}

/** One operator of it. */
export function operatorDifferenceReport({ change, matchedBy, changes, deltaBytes, left, right, states }: OperatorDifference): OperatorDifferenceReport {
  const side = (operator: OperatorEntry | null): OperatorDifferenceReport["left"] => {
    if (operator === null) return null;
    const { id, uid, name, parallelism, maxParallelism, subtaskCount, fullyFinished, sizeBytes } = operator;
    return { id, uid, name, parallelism, maxParallelism, subtasks: subtaskCount, fullyFinished, sizeBytes: String(sizeBytes) };
  };
  const state = (entry: OperatorStateEntry | null): { kind: string; type: OperatorStateEntry["type"]; ttl: boolean } | null => (entry === null ? null : { kind: entry.kind, type: entry.type, ttl: entry.ttl });
  return {
    change, matchedBy, changes: [...changes], deltaBytes: String(deltaBytes), left: side(left), right: side(right),
    states: states === null ? null : states.map((one) => ({ name: one.name, change: one.change, left: state(one.left), right: state(one.right), serializers: one.serializers.map((serializer) => ({ ...serializer })) })),
  };
}

function sizesReport(sizes: Readonly<Record<SizeKind, bigint>>): z.infer<typeof sizesSchema> {
  return {
    coordinatorBytes: String(sizes.coordinator), managedOperatorBytes: String(sizes.managedOperator), rawOperatorBytes: String(sizes.rawOperator), managedKeyedBytes: String(sizes.managedKeyed),
    rawKeyedBytes: String(sizes.rawKeyed), inputChannelBytes: String(sizes.inputChannel), outputChannelBytes: String(sizes.outputChannel), legacyBytes: String(sizes.legacy),
  };
}

function propertiesReport({ snapshotType, ...flags }: CheckpointProperties): NonNullable<InspectHead["checkpointProperties"]> {
  if (snapshotType.kind === "savepoint") return { ...flags, checkpointType: { class: "SavepointType", name: snapshotType.name, formatType: snapshotType.formatType, postCheckpointAction: snapshotType.postCheckpointAction } };
  return { ...flags, checkpointType: { class: "CheckpointType", name: snapshotType.name, sharingFilesStrategy: snapshotType.sharingFilesStrategy } };
}
