import * as vscode from "vscode";
import { isAbort } from "../../core/base/async";
import { views } from "../../core/contributions";
import type { Log, Run } from "../../core/ports";
import { plainMessage } from "../../core/rowText";

/** The only place that meets `vscode.Progress` and `CancellationToken`: work gets a `Run`. */
export class Progress {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Runs work under a notification with *Cancel*. Cancelling aborts the signal and rejects with an `AbortError` at once, also when the
   * work goes on by itself; `title` should say what cancelling does when that is not plain.
   */
  inNotification<T>(title: string, work: (run: Run) => Promise<T>): Promise<T> {
    return this.#run({ location: vscode.ProgressLocation.Notification, title: plainMessage(title), cancellable: true }, work);
  }

  /** Runs work under the explorer's progress bar. */
  inView<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.#run({ location: { viewId: views.explorer } }, work);
  }

  async #run<T>(options: vscode.ProgressOptions, work: (run: Run) => Promise<T>): Promise<T> {
    return vscode.window.withProgress(options, (progress, token) => {
      const controller = new AbortController();
      const subscription = token.onCancellationRequested(() => controller.abort());
      let percent = 0;
      const run: Run = {
        signal: controller.signal,
        report: (step) => {
          const increment = step.percent === undefined ? 0 : Math.max(0, step.percent - percent);
          percent += increment;
          const message = plainMessage(step.message);
          progress.report(increment > 0 ? { message, increment } : { message });
        },
      };
      const left = new Promise<never>((_resolve, reject) => {
        controller.signal.addEventListener("abort", () => reject(controller.signal.reason as Error), { once: true });
      });
      const done = work(run).finally(() => subscription.dispose());
      // Work that was left may still fail; nobody waits for it, so its end goes to the log.
      done.catch((error: unknown) => {
        if (controller.signal.aborted && !isAbort(error)) this.#log.warn(`ended after it was left: ${String(error)}`);
      });
      return Promise.race([done, left]);
    });
  }
}
