/** Bounds for reading what nobody vouches for. A file beyond one of them ends with problem `limit`, never with a process that ran out of memory or time. */
export interface MetadataLimits {
  /** Operators kept in the index (about 200 bytes each). */
  readonly operators: number;
  /** Subtasks kept in the index (16 bytes each). */
  readonly subtasks: number;
  /** Master states kept. */
  readonly masterStates: number;
  /** Distinct files told apart for the totals (about 20 bytes each). */
  readonly distinctFiles: number;
  /** Handles within handles, and objects within objects of a Java stream. */
  readonly depth: number;
  /** Bytes of the checkpoint properties at the end, a Java stream of less than a kilobyte in real files. */
  readonly propertiesBytes: number;
  /** Bytes of one subtask that is decoded, inlined state included. */
  readonly subtaskBytes: number;
  /** Objects made of one subtask. */
  readonly subtaskHandles: number;
  /** Problems listed; the rest is only counted. */
  readonly problems: number;
  /** Bytes asked for at a time. */
  readonly windowBytes: number;
  /** Bytes asked for in one pass over the structure; inlined state that is passed over does not count. */
  readonly readBytes: number;
}

/** Ample for any job that runs: 1 GB files full of handles stay within them. */
export const defaultLimits: MetadataLimits = {
  operators: 1_000_000,
  subtasks: 20_000_000,
  masterStates: 10_000,
  distinctFiles: 30_000_000,
  depth: 64,
  propertiesBytes: 1 << 20,
  subtaskBytes: 256 << 20,
  subtaskHandles: 2_000_000,
  problems: 100,
  windowBytes: 2 << 20,
  readBytes: Infinity,
};
