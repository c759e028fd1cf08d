// A window of the editor without the editor that runs schedules, beside others that share its folder. Its only argument is a `Shared` as JSON; it
// says `leads` and `follows` in lines as it takes and loses the lease, and ends with whoever started it. Told `die unsent`, it kills itself in the middle of
// the next run: its record is written, its request is not sent.
import { createInterface } from "node:readline";
import { systemClock } from "../../src/core/base/async";
import { LifecycleFiles } from "../../src/services/lifecycleFiles";
import { Schedules } from "../../src/services/schedules";
import { openApp } from "./support/testApp";

/** What all processes are told alike. */
export interface Shared {
  readonly folder: string;
  readonly cluster: string;
  /** The text of `flink-savepoints.json`. */
  readonly text: string;
  /** When the first run is due, how far they are apart and how many there are: instead of the cron expression, which knows no seconds. */
  readonly firstMs: number;
  readonly everyMs: number;
  readonly ticks: number;
}

const { folder, cluster, text, firstMs, everyMs, ticks } = JSON.parse(process.argv[2] ?? "") as Shared;
let diesUnsent = false;
createInterface({ input: process.stdin }).on("line", (line) => (diesUnsent ||= line === "die unsent")).on("close", () => process.exit(1));

const { app, lines } = openApp({
  ledgerFolder: `${folder}/ledger`, clusters: [cluster],
  schedulerTiming: {
    roundMs: 400, graceMs: 15_000, firstRetryMs: 500, triedUntil: (tickAtMs) => tickAtMs + 60_000,
    runs: (_, afterMs) => Array.from({ length: ticks }, (_tick, at) => firstMs + at * everyMs).filter((run) => run > afterMs),
  },
});
const create = app.ledger.create.bind(app.ledger);
app.ledger.create = async (record) => {
  const created = await create(record);
  if (created && diesUnsent) process.kill(process.pid, "SIGKILL");
  return created;
};
const scheduler = await app.scheduler();
const files = new LifecycleFiles({ trace: () => undefined, debug: () => undefined, info: () => undefined, warn: (message) => lines.push(String(message)), error: (message) => lines.push(String(message)) });
files.set([{ path: `${folder}/flink-savepoints.json`, level: "workspace", text }]);
const schedules = new Schedules(files, scheduler, app.clusters, systemClock, { trace: () => undefined, debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error });
app.reconciler.start();
let leads = false;
const look = (): void => {
  const [only] = schedules.schedules;
  const now = only !== undefined && scheduler.runsHere(only.key);
  if (now === leads) return;
  leads = now;
  process.stdout.write(`${leads ? "leads" : "follows"}\n`);
};
setInterval(look, 50);
