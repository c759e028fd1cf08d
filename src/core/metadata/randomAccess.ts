/** Bytes that can be read anywhere: a local file, an object in a store, or memory. The reader of `_metadata` never asks for more than a window at a time. */
export interface RandomAccess {
  readonly sizeBytes: number;
  /**
   * Resolves to exactly `length` bytes from `offset`; both lie within the size. The array is the caller's to keep and is not written to, unless
   * it is part of `room`, which the caller lends so that no new array need be made: then the bytes last until it is lent again.
   */
  read(offset: number, length: number, signal?: AbortSignal, room?: Uint8Array): Promise<Uint8Array>;
}

/** Bytes in memory as `RandomAccess`, without copying them. */
export function inMemory(bytes: Uint8Array): RandomAccess {
  return { sizeBytes: bytes.length, read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)) };
}
