import type { WorkbenchPage } from "../../rig/page";
import { Keys } from "./keys";

/** The verbs as a person does them on a row: inline button, then the questions, answered with Enter unless told otherwise. */
export class Verbs {
  readonly #page: WorkbenchPage;
  readonly #keys: Keys;

  constructor(page: WorkbenchPage) {
    this.#page = page;
    this.#keys = new Keys(page);
  }

  async trigger(job: RegExp, description = ""): Promise<void> {
    await this.#page.inlineAction(job, /Trigger Savepoint/, this.#page.question(/Savepoint of/));
    await this.#keys.enterThrough("Savepoint of", 1, 2, 3);
    await this.#keys.question(/Savepoint of .*\(3\/3\)/);
    await this.#keys.type(description);
    await this.#keys.enter();
  }

  async stop(job: RegExp): Promise<void> {
    await this.#page.inlineAction(job, /Stop with Savepoint/, this.#page.question(/Stop .* with a savepoint/));
    await this.#keys.enterThrough("Stop .* with a savepoint", 1, 4, 4);
  }

  /** `way` begins what becomes of a job of the same name that still runs; that is asked only then. */
  async restore(savepoint: RegExp, how: { readonly args: string; readonly claim?: "Yours" | "Flink's"; readonly way?: string }): Promise<void> {
    await this.#page.inlineAction(savepoint, /Restore/, this.#page.question(/Restore .* from/));
    if (how.way !== undefined) {
      await this.#keys.question(/Restore /, "still runs");
      await this.#page.choose(/Restore /, how.way);
    }
    for (const asks of ["Which program", "Arguments", "Parallelism", "Whose", "All is set"]) {
      await this.#keys.question(/Restore /, asks);
      if (asks === "Arguments") await this.#keys.type(how.args);
      if (asks === "Whose" && how.claim === "Flink's") await this.#keys.press("ArrowDown");
      await this.#keys.enter();
    }
  }

  /** Takes every notification away, those that wait included. */
  async clearToasts(): Promise<void> {
    await this.#keys.command("Notifications: Clear All Notifications");
    await this.#page.waitFor("the notifications to go", (timeout) => this.#page.page.locator(".notification-toast").first().waitFor({ state: "detached", timeout }));
  }
}
