import type { ByteReader } from "../byteReader";
import { resilientList, SnapshotReader } from "./catalogue";
import { readBareJavaSerializer } from "./javaSerializers";
import type { Serializer } from "./serializer";
import { skipValue } from "./values";

/** Timers of one service in some key groups. */
export interface TimerCount {
  eventTime: number;
  processingTime: number;
}

/** Timers of raw keyed state, by service. */
export interface RawTimers {
  /** Of the form; null for Flink up to 1.4.0. */
  version: number | null;
  readonly services: Map<string, TimerCount>;
}

const versionedMagic = Uint8Array.of(0xf1, 0xcd, 0x85, 0x9f);

/**
 * Adds the timers of one key group to a count (`InternalTimerServiceSerializationProxy`): heap timers up to Flink 1.12, and again those beside
 * ForSt. Other raw keyed state is the user's own and ends in a `ProblemError`; keys that nobody can pass over in `NotWalkable`.
 */
export function addRawTimers(reader: ByteReader, timers: RawTimers, maxDepth: number): void {
  const start = reader.at;
  const isVersioned = reader.leftBytes >= 8 && versionedMagic.every((byte, i) => reader.bytes[start + i] === byte);
  if (isVersioned) {
    reader.skip(4, "magic");
    timers.version = reader.i32("version");
    if (timers.version !== 1 && timers.version !== 2) reader.fail("version-unknown", "version", { version: timers.version });
  }
  const count = reader.count(3, "services");
  for (let i = 0; i < count; i++) {
    const service = reader.utf("service");
    const serializers = pair(reader, timers.version, maxDepth);
    const known = timers.services.get(service) ?? { eventTime: 0, processingTime: 0 };
    timers.services.set(service, known);
    known.eventTime += queue(reader, serializers);
    known.processingTime += queue(reader, serializers);
  }
}

function pair(reader: ByteReader, version: number | null, maxDepth: number): readonly Serializer[] {
  if (version === 1) return resilientList(reader, maxDepth);
  if (version === 2) {
    const snapshots = new SnapshotReader(maxDepth);
    return [snapshots.snapshot(reader, 0), snapshots.snapshot(reader, 0)];
  }
  return [readBareJavaSerializer(reader, maxDepth), readBareJavaSerializer(reader, maxDepth)];
}

function queue(reader: ByteReader, serializers: readonly Serializer[]): number {
  const count = reader.count(8, "timers");
  for (let i = 0; i < count; i++) {
    for (const serializer of serializers) skipValue(reader, serializer);
    reader.skip(8, "timestamp");
  }
  return count;
}
