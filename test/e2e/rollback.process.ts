// A window of the editor without the editor that rolls back and waits to be killed. Its only argument is a `RollbackTask` as JSON; each step that
// it has written down is told as a line.
import { isFlinkError } from "../../src/core/errors";
import type { RestoreRequest } from "../../src/services/restores";
import { openApp, patience, type TestAppOptions } from "./support/testApp";

export interface RollbackTask {
  readonly options: TestAppOptions;
  readonly savepoint: string;
  /** The start that follows, or null for the tables only. */
  readonly restore: RestoreRequest | null;
}

const task = JSON.parse(process.argv[2] ?? "") as RollbackTask;
const { app } = openApp(task.options);
// Ends with whoever started it, should that be gone.
process.stdin.on("end", () => process.exit(1)).resume();
const rollbacks = await app.rollbacks();
rollbacks.onDidChange((record) => process.stdout.write(`${[record.state, ...record.tables.map(({ state }) => state)].join(" ")}\n`));
try {
  const { plan } = await rollbacks.check({ path: task.savepoint, recordId: null, jobName: "orders" }, patience());
  await rollbacks.begin(plan, { safetyCopy: false, restore: task.restore, unchecked: [] }, patience());
} catch (error) {
  process.stdout.write(`failed ${isFlinkError(error) ? `${error.code} ${JSON.stringify(error.facts)}` : String(error)}\n`);
}
