import type { Subtask } from "../metadata/handles";
import type { SizeKind } from "../metadata/scanIndex";
import type { OperatorRow, ShareTile, Shares } from "./protocol";
import { kindNames } from "./sizes";

/** Tiles of all operators. */
export function operatorShares(rows: readonly OperatorRow[], limit: number): Shares {
  return cut(rows.map((row) => ({ label: row.name ?? row.uid ?? row.id, sizeBytes: row.sizeBytes, into: { row: row.row, kind: null }, row: row.row, subtask: null })), limit);
}

/** Tiles of the kinds of state in one operator; operator states by their names, since the metadata tells where each begins. */
export function kindShares(operator: OperatorRow, subtasks: readonly Subtask[], limit: number): Shares {
  const tiles: ShareTile[] = [];
  const tile = (label: string, sizeBytes: number, kind: string | null): void => void tiles.push({ label, sizeBytes, into: kind === null ? null : { row: operator.row, kind }, row: operator.row, subtask: null });
  for (const kind of Object.keys(kindNames) as SizeKind[]) {
    const names = kind === "managedOperator" ? operatorStateBytes(subtasks) : new Map<string, number>();
    const named = [...names.values()].reduce((sum, bytes) => sum + bytes, 0);
    for (const [name, bytes] of names) tile(name, bytes, `state:${name}`);
    const left = operator.sizes[kind] - named;
    // What is before the first element of a file, such as the serializers.
    if (left > 0) tile(named > 0 ? `${kindNames[kind]}, the rest` : kindNames[kind], left, kind === "coordinator" || named > 0 ? null : kind);
  }
  return cut(tiles, limit);
}

/** Tiles of the subtasks of one kind of state, or of one operator state by its name (`state:…`). */
export function subtaskShares(operator: OperatorRow, subtasks: readonly { readonly at: number; readonly subtask: Subtask }[], kind: string, limit: number): Shares {
  const name = kind.startsWith("state:") ? kind.slice("state:".length) : undefined;
  return cut(subtasks.map(({ at, subtask }) => ({
    label: `subtask ${subtask.index}`, into: null, row: operator.row, subtask: at,
    sizeBytes: name === undefined ? bytesOf(subtask, kind as SizeKind) : (operatorStateBytes([subtask]).get(name) ?? 0),
  })), limit);
}

function bytesOf(subtask: Subtask, kind: SizeKind): number {
  const sum = (handles: readonly ({ readonly sizeBytes: bigint } | null)[]): number => handles.reduce((total, handle) => total + Number(handle?.sizeBytes ?? 0n), 0);
  switch (kind) {
    case "managedOperator": return sum(subtask.managedOperator);
    case "rawOperator": return sum(subtask.rawOperator);
    case "managedKeyed": return sum([subtask.managedKeyed]);
    case "rawKeyed": return sum([subtask.rawKeyed]);
    case "inputChannel": return sum(subtask.inputChannels);
    case "outputChannel": return sum(subtask.outputChannels);
    case "legacy": return sum(subtask.legacy);
    case "coordinator": return 0;
  }
}

/** Bytes per operator state: each element reaches to the next one's start, the last to the end of the stream. */
function operatorStateBytes(subtasks: readonly Subtask[]): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const { managedOperator } of subtasks) {
    for (const handle of managedOperator) {
      if (handle === null) continue;
      const starts = handle.states.flatMap(({ name, offsets }) => [...offsets].map((offset) => ({ name, offset: Number(offset) }))).sort((a, b) => a.offset - b.offset);
      const size = Number(handle.sizeBytes);
      starts.forEach(({ name, offset }, i) => bytes.set(name, (bytes.get(name) ?? 0) + Math.max(0, (starts[i + 1]?.offset ?? size) - offset)));
    }
  }
  return bytes;
}

function cut(all: readonly ShareTile[], limit: number): Shares {
  const held = all.filter(({ sizeBytes }) => sizeBytes > 0).sort((a, b) => b.sizeBytes - a.sizeBytes);
  const totalBytes = held.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (held.length <= limit) return { totalBytes, tiles: held, others: null };
  const tiles = held.slice(0, limit - 1);
  return { totalBytes, tiles, others: { count: held.length - tiles.length, sizeBytes: totalBytes - tiles.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) } };
}
