import { createHash } from "node:crypto";

/** The SHA-256 of the parts, one behind the other, as hexadecimal digits: no two different files have the same by chance. */
export function digestOf(parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
