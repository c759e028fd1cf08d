import * as vscode from "vscode";
import type { ClusterRef, CommandArgs, CommandId, WarehouseRef } from "../../core/contributions";
import type { Explanation } from "../../core/explain";
import type { Log } from "../../core/ports";
import { plainMessage } from "../../core/rowText";

/** A follow-up verb offered as a button. */
export type Step = { [C in CommandId]: { readonly title: string; readonly command: C; readonly args?: CommandArgs[C] } }[CommandId];

/** A modal question: the fact in the title, the consequence in the detail. A button that closes it is always there, *Cancel* unless named. */
export interface Question<B extends string = string> {
  readonly title: string;
  readonly detail: string;
  readonly buttons: readonly [B, ...B[]];
  /** Where "Cancel" would read like one of the answers. */
  readonly close?: string;
}

const showLog: Step = { title: "Show Log", command: "flinkSavepoints.showLog" };

/** The only place that shows messages. What needs no answer now never blocks: those methods return at once. */
export class Notify {
  readonly #log: Log;
  readonly #told = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Asks in a modal; resolves to true only for the button, false for anything else. */
  async confirm(question: { readonly title: string; readonly detail: string; readonly button: string }): Promise<boolean> {
    return (await this.choose({ title: question.title, detail: question.detail, buttons: [question.button] })) === question.button;
  }

  /** Asks in a modal with several answers; resolves to the button's text, undefined when cancelled. */
  async choose<B extends string>(question: Question<B>): Promise<B | undefined> {
    const items: { title: string; value?: B; isCloseAffordance?: boolean }[] = question.buttons.map((title) => ({ title, value: title }));
    if (question.close !== undefined) items.push({ title: question.close, isCloseAffordance: true });
    return (await vscode.window.showWarningMessage(plainMessage(question.title), { modal: true, detail: plainMessage(question.detail) }, ...items))?.value;
  }

  /** Tells a fact in a modal, which has room for all of it; resolves when it was read. */
  async tell(fact: { readonly title: string; readonly detail: string }): Promise<void> {
    await vscode.window.showWarningMessage(plainMessage(fact.title), { modal: true, detail: plainMessage(fact.detail) }, { title: "Close", isCloseAffordance: true });
  }

  /** Tells that a verb failed: our sentence, its next step and *Show Log*. `retry` runs the verb again; `target` goes to the next step. */
  failure(explanation: Explanation, context: { readonly retry?: () => unknown; readonly target?: ClusterRef | WarehouseRef | undefined } = {}): void {
    const { action } = explanation;
    const buttons: Button[] = [];
    if (action?.command === "retry") {
      if (context.retry) buttons.push({ title: action.title, press: context.retry });
    } else if (action !== undefined && action.command !== showLog.command) {
      const { command } = action;
      buttons.push({ title: action.title, press: () => vscode.commands.executeCommand(command, context.target) });
    }
    this.#show("error", explanation.message, [...buttons, this.#button(showLog)]);
  }

  /** Tells why a rule forbids a verb, with what helps. */
  refused(message: string, steps: readonly Step[] = []): void {
    this.#show("warning", message, steps.map((step) => this.#button(step)));
  }

  /** Tells that something long is done, with at most two next verbs. */
  done(message: string, steps: readonly Step[] = []): void {
    this.#show("information", message, steps.slice(0, 2).map((step) => this.#button(step)));
  }

  /** Tells of something that went wrong on its own, once for each cause in the life of this window; afterwards only the log and the rows say it. `target` goes to the next step. */
  background(cause: string, explanation: Explanation, target?: WarehouseRef): void {
    this.#log.warn(`${cause}: ${explanation.message}`);
    if (this.#told.has(cause)) return;
    this.#told.add(cause);
    const { action } = explanation;
    const steps: Button[] = action === undefined || action.command === "retry" || action.command === showLog.command ? [] : [{ title: action.title, press: () => vscode.commands.executeCommand(action.command, target) }];
    this.#show("warning", explanation.message, [...steps, this.#button(showLog)]);
  }

  /** Tells of a bug of ours. */
  unexpected(): void {
    this.#show("error", "Something unexpected went wrong. The log has the details.", [this.#button(showLog)]);
  }

  #button(step: Step): Button {
    return { title: step.title, press: () => vscode.commands.executeCommand(step.command, ...(step.args ?? [])) };
  }

  #show(severity: "error" | "warning" | "information", text: string, buttons: readonly Button[]): void {
    const message = plainMessage(text);
    const titles = buttons.map((button) => button.title);
    const shown = severity === "error" ? vscode.window.showErrorMessage(message, ...titles) : severity === "warning" ? vscode.window.showWarningMessage(message, ...titles) : vscode.window.showInformationMessage(message, ...titles);
    void (async () => {
      try {
        const title = await shown;
        await buttons.find((button) => button.title === title)?.press();
      } catch (error) {
        this.#log.error(error instanceof Error ? error : String(error));
      }
    })();
  }
}

interface Button {
  readonly title: string;
  press(): unknown;
}
