import { statSync } from "node:fs";
import path from "node:path";
import { rootFolder, until } from "../rig/flink";
import { openPage } from "../rig/page";
import { startWorkbench } from "../rig/workbench";
import { Figures, median, ms } from "./support/figures";
import { ProbedHome } from "./support/probe";

/** How long our part of the activation takes in the extension host, what it touches, and how large what is loaded is. */
const runs = 20;
/** Runs after those, in which calls are counted instead. */
const countedRuns = 3;
const activationLimitMs = 20;
const atActivationLimitBytes = 25_000;
const inEveryWindowLimitBytes = 500_000;

const root = await rootFolder();
const vsix = process.env["RIG_VSIX"];
if (vsix === undefined) throw new Error('RIG_VSIX is not set: start this through "npm run bench"');
const home = new ProbedHome(root, "time");
const workbench = await startWorkbench({
  extensionsFrom: vsix, workspace: path.join(root, "test", "rig", "workspace"), keepUserData: home.folder,
  settings: { "flinkSavepoints.clusters": Array.from({ length: 5 }, (_, at) => ({ name: `cluster ${at}`, url: `http://localhost:${9 + at}` })) },
});
try {
  const page = await openPage(workbench, { name: "bench-activation" });
  for (let run = 1; run <= runs + countedRuns; run++) {
    await until(`activation ${run}`, () => Promise.resolve(home.activations().length >= run), 30_000);
    if (run === runs) home.look("count");
    if (run < runs + countedRuns) await page.reload();
  }
  await page.close();
} finally {
  await workbench.stop();
}

const seen = home.activations().filter(({ kind }) => kind === "time");
const counted = home.activations().filter(({ kind }) => kind === "count");
const total = seen.map(({ loadMs, activateMs }) => loadMs + activateMs);
const during = counted.flatMap(({ calls }) => calls.filter(({ phase }) => phase !== "after"));
const touched = (kinds: RegExp): number => during.filter(({ what }) => kinds.test(what)).length;
const first = counted.flatMap(({ calls }) => calls.filter(({ phase }) => phase === "after").slice(0, 1));
const sizeOf = (files: readonly string[] | undefined): number => (files ?? []).reduce((sum, file) => sum + statSync(file).size, 0);
const [atActivation, inEveryWindow] = [sizeOf(seen.at(-1)?.filesAtActivation), sizeOf(seen.at(-1)?.filesAfter)];
const late = (what: "clockMs" | "processorMs"): number => median(seen.map(({ window }) => window?.[what] ?? 0));

const figures = new Figures();
// Activation is synchronous and waits for nothing, so its time on an idle machine is its time on the processor; on a busy one the clock tells of others.
const processor = median(seen.map(({ processorMs }) => processorMs));
figures.add(`activation, our part, median of ${seen.length}: on the processor`, ms(processor), { text: `< ${activationLimitMs} ms`, kept: processor < activationLimitMs });
figures.add("the same by the clock", ms(median(total)));
figures.add("of it loading the file", ms(median(seen.map(({ loadMs }) => loadMs))));
figures.add("of it `activate`", ms(median(seen.map(({ activateMs }) => activateMs))));
figures.add("fastest and slowest", `${ms(Math.min(...total))}, ${ms(Math.max(...total))}`);
figures.add("calls to files while activating", String(touched(/^fs/)), { text: "0", kept: touched(/^fs/) === 0 });
figures.add("connections and look-ups while activating", String(touched(/^(net|dns)/)), { text: "0", kept: touched(/^(net|dns)/) === 0 });
figures.add("processes while activating", String(touched(/^child_process/)), { text: "0", kept: touched(/^child_process/) === 0 });
figures.add("first call of any kind after `activate` returned", first.length === 0 ? "none" : `${first[0]?.what ?? ""}, ${ms(median(first.map(({ afterMs }) => afterMs)))} later`);
figures.add("code loaded at activation", `${(atActivation / 1000).toFixed(0)} kB in ${seen.at(-1)?.filesAtActivation.length ?? 0} files`, { text: `< ${atActivationLimitBytes / 1000} kB`, kept: atActivation > 0 && atActivation < atActivationLimitBytes });
figures.add("after it, in every window: code, all in all", `${(inEveryWindow / 1000).toFixed(0)} kB in ${seen.at(-1)?.filesAfter.length ?? 0} files`, { text: `< ${inEveryWindowLimitBytes / 1000} kB`, kept: inEveryWindow < inEveryWindowLimitBytes });
figures.add("of it loading, on the processor", ms(late("processorMs")));
figures.add("the same by the clock", ms(late("clockMs")));
figures.add("longest block of the host in the 1.5 s after activation, whoever's", ms(median(seen.map(({ longestBlockAfterMs }) => longestBlockAfterMs))));
figures.print("Activation");
for (const { phase, what, about } of during.slice(0, 10)) console.log(`while ${phase}: ${what} ${about}`);
