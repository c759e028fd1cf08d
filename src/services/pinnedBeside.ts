import type { Refusal } from "../core/errors";
import type { PinMarks } from "../core/ports";

/** What the marks beside a savepoint forbid, under each of the paths that it has. */
export async function pinnedBeside(pins: Pick<PinMarks, "at">, paths: readonly (string | null)[]): Promise<readonly (Refusal & { readonly rule: "pinned-beside" })[]> {
  const found = await Promise.all([...new Set(paths)].filter((path) => path !== null).map((path) => pins.at(path)));
  return [...new Set(found.flat())].map((file) => ({ rule: "pinned-beside", file }));
}
