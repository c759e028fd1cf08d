import { countText } from "../../core/wording";
import type { LintedWorkspace } from "../diagnostics/linter";
import type { CommandWorld } from "./world";

/** *Lint Workspace*: shows what is wrong in every file of the workspace, also in those that are not open. */
export async function lintWorkspace(world: CommandWorld): Promise<void> {
  if (!world.settings.current["lint.enable"]) return world.notify.refused("The lint is switched off by the setting flinkSavepoints.lint.enable.");
  const { files, findings, left } = await lintAll(world);
  const found = findings === 0 ? `The lint found nothing in ${countText(files, "file")}.` : `The lint found ${countText(findings, "problem")} in ${countText(files, "file")}. They stand in the Problems view.`;
  world.notify.done(left === 0 ? found : `${found} ${countText(left, "more file")} of the workspace ${left === 1 ? "was" : "were"} left out: what the lint keeps of the others takes all the room there is. Open a folder of the project to have all of it linted.`);
}

/** Lints the workspace of a window that has just been opened, when a setting says so; says nothing of what it finds. */
export async function lintOnOpen(world: CommandWorld): Promise<void> {
  const { current } = world.settings;
  if (current["lint.enable"] && current["lint.workspaceOnOpen"]) await lintAll(world);
}

function lintAll(world: CommandWorld): Promise<LintedWorkspace> {
  return world.progress.inNotification("Linting the workspace", async (run) => (await world.linting()).linter.lintWorkspace(run));
}
