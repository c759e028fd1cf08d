import type { Metadata } from "../metadata/metadata";
import type { Problem } from "../metadata/problem";
import { problemText } from "../metadata/problemText";
import { sizeKinds, type SizeKind } from "../metadata/scanIndex";
import { readersOf, releasesOf } from "../metadata/tags";
import { isAutomatic, type OperatorRows } from "./operatorRows";
import type { SnapshotHead, WireProblem } from "./protocol";

/** The head of the page from what was read. */
export function snapshotHead(metadata: Metadata, rows: OperatorRows): SnapshotHead {
  const { totals, properties, version } = metadata;
  const hasUids = version >= 5;
  return {
    version, writers: releasesOf(version, metadata.layout) ?? null, readers: readersOf(version) ?? null, checkpointId: String(metadata.checkpointId), kind: metadata.kind,
    typeName: properties?.snapshotType.name ?? null, unclaimed: properties?.unclaimed ?? false, whole: metadata.whole, lastIsWhole: rows.all.at(-1)?.whole ?? true,
    masterStates: metadata.masterStates.map(({ name, dataBytes }) => ({ name, sizeBytes: dataBytes })),
    operators: metadata.operators.count, announced: totals.operators,
    automatic: hasUids ? rows.all.filter(isAutomatic).length : null,
    uidDiffers: rows.all.filter((row) => row.uidMatches === false).length,
    finished: totals.fullyFinishedOperators, subtasks: totals.subtasks, stateBytes: Number(totals.stateBytes),
    sizes: Object.fromEntries(sizeKinds.map((kind) => [kind, Number(totals.sizes[kind])])) as Record<SizeKind, number>,
    files: totals.distinctFiles, fileBytes: Number(totals.distinctFileBytes), inlineBytes: totals.inlineBytes, unknownSizes: totals.unknownSizes,
    handleCounts: [...metadata.handleCounts],
  };
}

/** A finding with its sentence. */
export function wireProblem(problem: Problem): WireProblem {
  return { code: problem.code, severity: problem.severity, offset: problem.offset, path: problem.path, text: problemText(problem) };
}
