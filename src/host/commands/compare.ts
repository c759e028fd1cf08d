import type { SnapshotPair, SnapshotRef } from "../../core/contributions";
import { askSnapshot, askSnapshots } from "./snapshots";
import type { CommandWorld } from "./world";

/** *Compare with…*: what changed between two snapshots, operator by operator. */
export async function compare(world: CommandWorld, target?: SnapshotPair | SnapshotRef): Promise<void> {
  const pair = await askSnapshots(world, target, "Compare");
  if (pair !== undefined) (await world.comparisons()).show(pair);
}

/** *Compare as Text*: the same in VS Code's own diff. */
export async function compareAsText(world: CommandWorld, target?: SnapshotPair | SnapshotRef): Promise<void> {
  const pair = await askSnapshots(world, target, "Compare as text");
  if (pair !== undefined) await (await world.comparisons()).showTexts(pair);
}

/** *Show as Text*: one snapshot as text. */
export async function showAsText(world: CommandWorld, target?: SnapshotRef): Promise<void> {
  const snapshot = await askSnapshot(world, target, "Show as Text");
  if (snapshot !== undefined) await (await world.comparisons()).showText(snapshot);
}
