import * as vscode from "vscode";
import { isRuleId } from "../../core/lint/rules";
import { countText } from "../../core/wording";
import type { CommandWorld } from "./world";

/** *Lint Workspace*: shows what is wrong in every file of the workspace, also in those that are not open. */
export async function lintWorkspace(world: CommandWorld): Promise<void> {
  if (!world.settings.current["lint.enable"]) return world.notify.refused("The lint is switched off by the setting flinkSavepoints.lint.enable.");
  const { files, findings } = await world.progress.inNotification("Linting the workspace", (run) => world.linter.lintWorkspace(run));
  world.notify.done(findings === 0 ? `The lint found nothing in ${countText(files, "file")}.` : `The lint found ${countText(findings, "problem")} in ${countText(files, "file")}. They stand in the Problems view.`);
}

/** Shows the page of a rule, as the link of a diagnostic does. */
export async function showRule(world: CommandWorld, target: { readonly rule: string } | undefined): Promise<void> {
  if (target === undefined || !isRuleId(target.rule)) return;
  await vscode.commands.executeCommand("markdown.showPreview", vscode.Uri.joinPath(world.rulePages, `${target.rule}.md`));
}
