import * as vscode from "vscode";
import type { FindingRef } from "../../core/contributions";
import { keepStateFix } from "../../core/lint/fixes";
import { joinText, oneLine, stateNamesText } from "../../core/rowText";
import { savepointName, shortId, sizeText, timeText } from "../../core/wording";
import { editOf } from "../diagnostics/quickFixes";
import { unexplained } from "../../services/savepointContents";
import { askInSteps } from "./steps";
import type { CommandWorld } from "./world";

/** How long the question waits for the names of states, which are only a help. */
const namesTimeoutMs = 3_000;

/**
 * *Set uid and keep the state*: asks which operator of a savepoint this one is, and writes the uid together with that operator's old id.
 * Nobody but a person can tell the operators apart, so that one is asked even when there is a single one.
 */
export async function keepState(world: CommandWorld, target?: FindingRef): Promise<void> {
  if (target === undefined) return;
  const document = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === target.document);
  if (document === undefined) return;
  const { linter, savepoints } = await world.linting();
  const found = unexplained(await savepoints.list(), await linter.takenUids(document));
  const signal = AbortSignal.timeout(namesTimeoutMs);
  const inspection = await world.inspection();
  const names = await Promise.all(found.map(({ record: { path }, operators }) => inspection.stateNames(path ?? "", new Set(operators.map(({ id }) => id)), signal)));
  const chosen = await askInSteps("Set uid and keep the state", 1, (ask) => ask.choose({
    placeholder: "Which operator was this? A restore finds its state by the old id, once.",
    choices: found.flatMap(({ record, operators }, at) => operators.map(({ id, name, sizeBytes }) => ({
      label: oneLine(name ?? shortId(id)), description: joinText(sizeText(sizeBytes), stateNamesText(names[at]?.get(id)), id),
      detail: `${savepointName(record)} of ${oneLine(record.job.name)}${record.endedAtMs === null ? "" : `, ${timeText(record.endedAtMs)}`}`, value: id,
    }))),
  }));
  if (chosen === undefined) return;
  const finding = (await linter.findingsOf(document))?.find(({ range, rule }) => range.start.offset === target.offset && rule === "missing-uid");
  const path = linter.pathOf(document);
  const taken = await linter.takenUids(document);
  const text = document.getText();
  const fix = finding === undefined || path === undefined ? undefined : keepStateFix(finding, text, path, taken, chosen);
  if (fix === undefined || !(await vscode.workspace.applyEdit(editOf(document, fix.edits)))) world.notify.refused("The operator was changed meanwhile, so nothing was written. Choose the quick fix again.");
}
