import type { ChannelHandle, KeyedHandle, KeyGroupRange, OperatorHandle, StreamHandle, Subtask } from "../metadata/handles";
import { countText } from "../wording";
import type { HandleRow } from "./protocol";

/** Every place that a subtask's state is in, one row each, in the order of the metadata. */
export function* handleRows(subtask: Subtask): Generator<HandleRow> {
  for (const handle of subtask.legacy) if (handle !== null) yield streamRow("legacy", "stream", "", handle);
  for (const handle of subtask.managedOperator) if (handle !== null) yield operatorRow("managed operator", handle);
  for (const handle of subtask.rawOperator) if (handle !== null) yield operatorRow("raw operator", handle);
  yield* keyedRows("managed keyed", subtask.managedKeyed);
  yield* keyedRows("raw keyed", subtask.rawKeyed);
  for (const handle of subtask.inputChannels) yield channelRow("input channel", handle);
  for (const handle of subtask.outputChannels) yield channelRow("output channel", handle);
}

function* keyedRows(part: string, handle: KeyedHandle | null): Generator<HandleRow> {
  if (handle === null) return;
  const groups = rangeText(handle.keyGroups);
  switch (handle.type) {
    case "keyGroups":
      yield streamRow(part, handle.savepoint ? "key groups, canonical" : "key groups", groups, handle.delegate);
      return;
    case "incremental":
      yield streamRow(part, "incremental, meta", groups, handle.metaHandle);
      for (const file of handle.shared) yield streamRow(part, "incremental, shared", file.localPath, file.handle);
      for (const file of handle.private) yield streamRow(part, "incremental, private", file.localPath, file.handle);
      return;
    case "changelog":
      for (const inner of handle.materialized) yield* keyedRows(`${part}, materialized`, inner);
      for (const inner of handle.nonMaterialized) yield* keyedRows(`${part}, changes`, inner);
      return;
    case "changelogBytes":
      yield { part, form: "changelog, inside the metadata", detail: `${groups}, ${countText(handle.changes.length, "change")}`, path: null, relative: false, sizeBytes: Number(handle.sizeBytes) };
      return;
    case "changelogFiles":
      for (const { offset, handle: stream } of handle.parts) yield streamRow(part, "changelog file", `${groups}, from byte ${offset}`, stream);
  }
}

function operatorRow(part: string, handle: OperatorHandle): HandleRow {
  const states = handle.states.map(({ name, mode, offsets }) => `${name} (${modeNames[mode]}, ${offsets.length})`);
  return streamRow(part, handle.directories === null ? "partitions" : "partitions, merged file", states.join(", "), handle.delegate);
}

const modeNames = { SPLIT_DISTRIBUTE: "list", UNION: "union", BROADCAST: "broadcast" } as const;

function channelRow(part: string, handle: ChannelHandle): HandleRow {
  const detail = handle.type === "merged" ? (handle.channels === null ? "channels not readable" : countText(handle.channels.length, "channel")) : `${handle.gate}/${handle.channel}`;
  return { ...streamRow(part, handle.type === "merged" ? "merged channels" : "channel", detail, handle.delegate), sizeBytes: Number(handle.sizeBytes) };
}

function streamRow(part: string, form: string, detail: string, handle: StreamHandle): HandleRow {
  const sizeBytes = Number(handle.sizeBytes);
  switch (handle.type) {
    case "bytes":
      return { part, form: `${form}, inside the metadata`, detail, path: null, relative: false, sizeBytes };
    case "file":
      return { part, form, detail, path: handle.path, relative: false, sizeBytes };
    case "relativeFile":
      return { part, form, detail, path: handle.path, relative: true, sizeBytes };
    case "segment":
      return { part, form: `${form}, ${handle.scope === "SHARED" ? "shared" : "exclusive"} segment`, detail: join(detail, `from byte ${handle.startOffset}`), path: handle.path, relative: false, sizeBytes };
    case "emptySegment":
      return { part, form: `${form}, empty segment`, detail, path: null, relative: false, sizeBytes };
    case "keyGroups":
      return streamRow(part, form, join(detail, rangeText(handle.keyGroups)), handle.delegate);
  }
}

function rangeText({ first, count }: KeyGroupRange): string {
  return count === 0 ? "no key groups" : count === 1 ? `key group ${first}` : `key groups ${first}–${first + count - 1}`;
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}
