import { murmur3 } from "../base/murmur3";

/**
 * The operator id that Flink gives to `uid("…")`: murmur3 x64 128 with seed 0 of the UTF-8 bytes, 32 hex digits as Flink prints them
 * (`StreamGraphHasherV2`). An unpaired surrogate counts as `?`, as Java encodes it.
 */
export function operatorIdOf(uid: string): string {
  return murmur3(uid);
}
