import * as vscode from "vscode";
import { isAbort, systemClock } from "../../core/base/async";
import { DisposableStore } from "../../core/base/disposable";
import type { Run } from "../../core/ports";
import { oneLine, plainMessage } from "../../core/rowText";

/** One entry of a list. */
export interface Choice<T> {
  /** What it is; may begin with an icon, `$(name)`. */
  readonly label: string;
  /** Why one would take it, or why one can't; beside the label. */
  readonly description?: string;
  /** What it means; below the label. */
  readonly detail?: string;
  /** Entries of the same group stand under one heading; entries without stand first. */
  readonly group?: string;
  readonly value: T;
}

/** A question answered from a list. The first entry is what a person most likely wants. */
export interface ListQuestion<T> {
  readonly placeholder: string;
  readonly choices: readonly Choice<T>[];
  /** An entry made of what is typed into the filter; it stays in sight whatever is typed. */
  readonly typed?: (text: string) => Choice<T>;
  readonly tool?: Tool;
}

/** What is said about a text while it is typed. An `error` keeps it from being accepted. */
export interface Remark {
  readonly severity: "error" | "warning" | "information";
  readonly text: string;
}

/** A question answered by typing. */
export interface TextQuestion {
  readonly prompt: string;
  readonly placeholder?: string;
  readonly initial?: string;
  /** True for a password: it is not shown, and blanks at its ends are part of it. */
  readonly secret?: boolean;
  check?(text: string): Remark | undefined;
  readonly tool?: Tool;
}

/** A button in a question's title that does something and leaves the question open. */
export interface Tool {
  /** Id of a product icon. */
  readonly icon: string;
  readonly tooltip: string;
  press(): Promise<void>;
}

/** A question that was dismissed, or left through *Back*. Only `askInSteps` sees these. */
class Left extends Error {
  readonly where: "away" | "back";
  /** How many answers are taken back. */
  readonly questions: number;

  constructor(where: "away" | "back", questions = 1) {
    super(`left ${where}`);
    this.where = where;
    this.questions = questions;
  }
}

interface Answer {
  readonly value: unknown;
  /** Label of the entry or text that was typed: where the question opens when one comes back to it. */
  readonly shown: string;
}

interface Waited {
  readonly value: unknown;
  /** How many answers had been given: an earlier one that changes makes it void. */
  readonly afterAnswers: number;
}

const severities = { error: vscode.InputBoxValidationSeverity.Error, warning: vscode.InputBoxValidationSeverity.Warning, information: vscode.InputBoxValidationSeverity.Info };

/** Nothing is shown of a wait that is over sooner than this. */
const quietMs = 250;

/**
 * Asks several questions in one place, with *Back* from each to the one before. `body` asks them in a straight line. *Back* runs it again with
 * the answers given so far, so it must ask the same for the same answers and act on nothing; what it waited for is kept. Resolves to
 * undefined when a question was dismissed. `totalSteps` null: how many come depends on the answers, so they are not numbered.
 */
export async function askInSteps<T>(title: string, totalSteps: number | null, body: (ask: Steps) => Promise<T>): Promise<T | undefined> {
  const answers: Answer[] = [];
  const earlier: string[] = [];
  const waits: Waited[] = [];
  for (;;) {
    try {
      return await body(new Steps(title, totalSteps, answers, earlier, waits));
    } catch (error) {
      if (!(error instanceof Left)) throw error;
      if (error.where === "away") return undefined;
      for (let taken = 0; taken < error.questions; taken++) earlier[answers.length - 1] = answers.pop()?.shown ?? "";
      const kept = waits.filter((waited) => waited.afterAnswers <= answers.length);
      waits.splice(0, waits.length, ...kept);
    }
  }
}

/**
 * Waits for what a question outside of the steps depends on, as `Steps.wait` does. Progress in a notification stays for most of a second after its
 * work is done (`ProgressService.withNotificationProgress`), behind the modal that asks. Resolves to undefined when a person left it.
 */
export async function waitBefore<T>(title: string, message: string, work: (run: Run) => Promise<T>): Promise<T | undefined> {
  return askInSteps(title, 1, (ask) => ask.wait(message, (signal, say) => work({ signal, report: (step) => say(step.message) })));
}

/** Has the job's name typed. Resolves to the name, or undefined when that was dismissed. */
export async function typeName(title: string, name: string, why: string): Promise<string | undefined> {
  const typed = await askInSteps(title, 1, (ask) => ask.enter({
    prompt: `${why} Type the job's name, ${oneLine(name, 80)}, to go on.`, placeholder: oneLine(name, 80),
    check: (text) => (text === name.trim() ? undefined : { severity: "error", text: `Type ${oneLine(name, 80)} to go on, Escape to leave it.` }),
  }));
  return typed === undefined ? undefined : name;
}

/** What `askInSteps` lends its body. */
export class Steps {
  /** Above every question from here on. */
  title: string;
  readonly #answers: Answer[];
  readonly #earlier: string[];
  readonly #waits: Waited[];
  #total: number | null;
  #at = 0;
  #waitsAt = 0;

  constructor(title: string, total: number | null, answers: Answer[], earlier: string[], waits: Waited[]) {
    this.title = title;
    this.#total = total;
    this.#answers = answers;
    this.#earlier = earlier;
    this.#waits = waits;
  }

  /** Says how many questions are still to come, as far as is known. A single one is not numbered, and none where the number depends on the answers. */
  expect(further: number): void {
    if (this.#total !== null) this.#total = this.#at + further;
  }

  /** Asks the last of the questions again, or as many of them as are told. */
  back(questions = 1): never {
    throw new Left(this.#at >= questions ? "back" : "away", questions);
  }

  /** Lets a person choose from a list. */
  choose<T>(question: ListQuestion<T>): Promise<T> {
    return this.#answer(() => this.#showList(question));
  }

  /** Lets a person type. Resolves to the text without spaces around it. */
  enter(question: TextQuestion): Promise<string> {
    return this.#answer(() => this.#showInput(question));
  }

  /**
   * Waits for what the next questions depend on; says so when it takes long, and Escape ends it. Gone before it resolves. `work` may say how far it
   * is. Not repeated after *Back* unless an answer before it changed.
   */
  wait<T>(message: string, work: (signal: AbortSignal, say: (message: string) => void) => Promise<T>): Promise<T> {
    return this.#once(() => this.#showWait(message, work));
  }

  /** Leaves the questions for a dialog of the editor's own. Kept as a wait is. */
  aside<T>(dialog: () => Thenable<T>): Promise<T> {
    return this.#once(async () => dialog());
  }

  async #once<T>(work: () => Promise<T>): Promise<T> {
    const known = this.#waits[this.#waitsAt++];
    if (known !== undefined) return known.value as T;
    const value = await work();
    this.#waits.push({ value, afterAnswers: this.#at });
    return value;
  }

  async #answer<T>(show: () => Promise<{ value: T; shown: string }>): Promise<T> {
    const known = this.#answers[this.#at];
    const answer = known ?? (await show());
    if (known === undefined) {
      this.#answers.push(answer);
      // Another answer may lead to other questions: what was answered to the old ones is not offered for those.
      if (this.#earlier[this.#at] !== answer.shown) this.#earlier.length = Math.min(this.#earlier.length, this.#at);
    }
    this.#at++;
    return answer.value as T;
  }

  #showList<T>(question: ListQuestion<T>): Promise<{ value: T; shown: string }> {
    const picker = vscode.window.createQuickPick<Row<T>>();
    picker.placeholder = question.placeholder;
    picker.matchOnDescription = true;
    picker.matchOnDetail = true;
    const rows = rowsOf(question.choices);
    const line: Row<T>[] = question.choices.some(({ group }) => group !== undefined) ? [{ label: "", kind: vscode.QuickPickItemKind.Separator }] : [];
    const typedRow = (): Row<T>[] => (question.typed ? [...line, { ...rowOf(question.typed(picker.value.trim())), alwaysShow: true }] : []);
    picker.items = [...rows, ...typedRow()];
    const before = picker.items.find((row) => row.label === this.#earlier[this.#at]);
    if (before) picker.activeItems = [before];
    return this.#show(picker, question.tool, (accept) => {
      if (question.typed) picker.onDidChangeValue(() => (picker.items = [...rows, ...typedRow()]));
      picker.onDidAccept(() => {
        const row = picker.selectedItems[0] ?? picker.activeItems[0];
        if (row?.choice) accept({ value: row.choice.value, shown: row.label });
      });
    });
  }

  #showInput(question: TextQuestion): Promise<{ value: string; shown: string }> {
    const box = vscode.window.createInputBox();
    box.prompt = plainMessage(question.prompt);
    box.placeholder = question.placeholder;
    box.password = question.secret === true;
    box.value = this.#earlier[this.#at] ?? question.initial ?? "";
    const remarkOn = (text: string): Remark | undefined => question.check?.(text.trim());
    const show = (remark: Remark | undefined): void => {
      box.validationMessage = remark && { message: plainMessage(remark.text), severity: severities[remark.severity] };
    };
    // An empty box is not told that it is empty before anything was typed.
    if (box.value !== "") show(remarkOn(box.value));
    return this.#show(box, question.tool, (accept) => {
      box.onDidChangeValue((text) => show(remarkOn(text)));
      box.onDidAccept(() => {
        const remark = remarkOn(box.value);
        show(remark);
        if (remark?.severity !== "error") accept({ value: question.secret === true ? box.value : box.value.trim(), shown: box.value });
      });
    });
  }

  async #showWait<T>(message: string, work: (signal: AbortSignal, say: (message: string) => void) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const waiting = new AbortController();
    const box = vscode.window.createQuickPick();
    box.placeholder = `${message}…`;
    const done = work(controller.signal, (step) => (box.placeholder = `${message}: ${step}…`));
    try {
      const late = systemClock.sleep(quietMs, waiting.signal).then(() => true, (error: unknown) => !isAbort(error));
      if (!(await Promise.race([done.then(() => false), late]))) return await done;
      box.title = this.title;
      box.busy = true;
      box.enabled = false;
      box.ignoreFocusOut = true;
      return await new Promise<T>((resolve, reject) => {
        box.onDidHide(() => {
          controller.abort();
          reject(new Left("away"));
        });
        box.show();
        done.then(resolve, reject);
      });
    } finally {
      waiting.abort();
      box.dispose();
      done.catch(() => undefined);
    }
  }

  #show<A>(input: vscode.QuickInput & { buttons: readonly vscode.QuickInputButton[]; onDidTriggerButton: vscode.Event<vscode.QuickInputButton> }, tool: Tool | undefined, listen: (accept: (answer: A) => void) => void): Promise<A> {
    const store = new DisposableStore();
    store.add(input);
    const step = this.#at + 1;
    input.title = this.title;
    input.ignoreFocusOut = true;
    if (this.#total !== null && Math.max(this.#total, step) > 1) {
      input.step = step;
      input.totalSteps = Math.max(this.#total, step);
    }
    const toolButton = tool && { iconPath: new vscode.ThemeIcon(tool.icon), tooltip: tool.tooltip };
    input.buttons = [...(this.#at > 0 ? [vscode.QuickInputButtons.Back] : []), ...(toolButton ? [toolButton] : [])];
    return new Promise<A>((resolve, reject) => {
      listen(resolve);
      input.onDidTriggerButton((button) => {
        if (button === vscode.QuickInputButtons.Back) reject(new Left("back"));
        else tool?.press().catch(reject);
      });
      input.onDidHide(() => reject(new Left("away")));
      input.show();
    }).finally(() => store.dispose());
  }
}

interface Row<T> extends vscode.QuickPickItem {
  readonly choice?: Choice<T>;
}

/** Entries under their groups' headings, groups in the order of their first entry. */
function rowsOf<T>(choices: readonly Choice<T>[]): Row<T>[] {
  const groups = new Map<string, Row<T>[]>();
  for (const choice of choices) {
    const group = choice.group ?? "";
    const rows = groups.get(group) ?? (group === "" ? [] : [{ label: group, kind: vscode.QuickPickItemKind.Separator }]);
    rows.push(rowOf(choice));
    groups.set(group, rows);
  }
  const first = groups.get("") ?? [];
  groups.delete("");
  return [...first, ...[...groups.values()].flat()];
}

function rowOf<T>(choice: Choice<T>): Row<T> {
  return { label: choice.label, ...(choice.description === undefined ? {} : { description: choice.description }), ...(choice.detail === undefined ? {} : { detail: choice.detail }), choice };
}
