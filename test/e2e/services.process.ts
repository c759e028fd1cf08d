// A window of the editor without the editor: joins the services, does one verb, tells what came of it, and then waits to be killed.
// Its only argument is a `Task` as JSON; it answers with lines of JSON, see `Told`.
import { isOpen } from "../../src/core/ledger/record";
import { isFlinkError } from "../../src/core/errors";
import type { Shown } from "../../src/core/cleanup/plan";
import type { CleanupRules } from "../../src/core/cleanup/rules";
import type { CleanupJob } from "../../src/services/cleanup";
import type { App } from "../../src/app";
import type { SavepointRequest } from "../../src/services/savepoints";
import type { RestoreRequest } from "../../src/services/restores";
import { cleanupOf, openApp, patience, type TestAppOptions } from "./support/testApp";

/** What the process is to do. */
export type Verb =
  | { readonly verb: "trigger"; readonly jobId: string; readonly request: SavepointRequest }
  | { readonly verb: "stop"; readonly jobId: string; readonly request: SavepointRequest & { readonly drain: boolean } }
  | { readonly verb: "restore"; readonly request: RestoreRequest }
  | { readonly verb: "stop-then-restore"; readonly jobId: string; readonly stop: SavepointRequest; readonly request: RestoreRequest }
  | { readonly verb: "dispose"; readonly recordId: string; readonly typedJobName: string | null }
  /** Removes what a preview showed. */
  | { readonly verb: "cleanup"; readonly job: CleanupJob; readonly rules: CleanupRules; readonly shown: readonly Shown[] }
  /** Takes over what dead processes left open, and ends when nothing is open any more. */
  | { readonly verb: "reconcile" }
  /** Goes on with every plan that waits, as a person does who finds it after a reload. */
  | { readonly verb: "continue" };

export interface Task {
  readonly options: TestAppOptions;
  readonly cluster: string;
  readonly what: Verb;
}

/** `begins`: everything is loaded, the verb starts now. `done` and `failed` are its outcome. */
export type Told =
  | { readonly at: "begins" }
  | { readonly at: "done" }
  | { readonly at: "failed"; readonly code: string; readonly facts: unknown };

const { options, cluster, what } = JSON.parse(process.argv[2] ?? "") as Task;
const test = openApp(options);
const tell = (told: Told): void => void process.stdout.write(`${JSON.stringify(told)}\n`);
// Ends with whoever started it, should that be gone.
process.stdin.on("end", () => process.exit(1)).resume();

tell({ at: "begins" });
try {
  await perform(test.app, what);
  tell({ at: "done" });
} catch (error) {
  tell(isFlinkError(error) ? { at: "failed", code: error.code, facts: error.facts } : { at: "failed", code: String(error), facts: (error as Error).stack });
}
if (process.env["SERVICES_LOG"] === "1") for (const line of test.lines) process.stderr.write(`${line}\n`);

async function perform(app: App, task: Verb): Promise<unknown> {
  switch (task.verb) {
    case "trigger": return app.savepoints.trigger({ cluster, jobId: task.jobId }, task.request, patience());
    case "stop": return app.savepoints.stop({ cluster, jobId: task.jobId }, task.request, patience());
    case "restore": return app.restores.start(task.request, patience());
    case "stop-then-restore": return app.restores.stopThenRestore({ cluster, jobId: task.jobId }, task.stop, task.request, patience());
    case "dispose": return app.disposals.dispose(task.recordId, { typedJobName: task.typedJobName }, patience());
    case "cleanup": return (await cleanupOf(app, task.rules)).run(task.job, task.shown, patience());
    case "reconcile": return reconcile(app);
    case "continue": {
      const plans = await app.restores.planned();
      return Promise.all(plans.map((plan) => app.restores.continue(plan.id, patience())));
    }
  }
}

async function reconcile(app: App): Promise<void> {
  await app.clusters.refresh(cluster, patience().signal);
  app.reconciler.start();
  for (;;) {
    // A job that runs is watched until its first checkpoint, which may never come.
    const open = (await app.ledger.all()).filter((record) => isOpen(record) && !(record.kind === "restore" && record.state === "running"));
    if (open.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
