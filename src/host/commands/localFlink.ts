import type { ClusterRef } from "../../core/contributions";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import type { RunningLocalFlink } from "../../core/localFlink/localFlink";
import { isTerminal } from "../../core/model/job";
import { localFlinkVersions } from "../../core/settings";
import { oneLine } from "../../core/rowText";
import { ageText, countText } from "../../core/wording";
import type { RestoreRequest } from "../../services/restores";
import type { Step } from "../platform/notify";
import { leaveStart } from "./restorePlans";
import { cancelDropsStart, runningText, waitFor } from "./outcomes";
import { refuse } from "./refuse";
import { askInSteps } from "./steps";
import type { CommandWorld } from "./world";

/** What the local Flink is called in the tree. */
const localName = "Local Flink";
const sampleJarName = "sample-job.jar";
/** The name that the sample job gives itself. */
const sampleJobName = "Orders";

const runSample: Step = { title: "Run Sample Job", command: "flinkSavepoints.runSampleJob" };

/** *Start Local Flink*: starts one, or takes over what was left over; a second one is never started. */
export async function startLocalFlink(world: CommandWorld): Promise<void> {
  const found = await (await world.localFlink()).find();
  if (found.state === "starting") return world.notify.done("Local Flink is being started by another window.");
  if (found.state === "running") {
    show(world, found.flink);
    return world.notify.done(`Local Flink ${found.flink.version} runs already, at ${found.flink.url}.`, [runSample]);
  }
  const { current } = world.settings;
  const keep = current["localFlink.keepRunning"];
  if (found.state === "left-over") {
    const adopted = await world.progress.inNotification("Taking over the local Flink", async (run) => (await world.localFlink()).adopt({ keep }, run));
    show(world, adopted);
    return world.notify.done(`Local Flink ${adopted.version} goes on at ${adopted.url}.`, [runSample]);
  }
  const wanted = current["localFlink.version"];
  const version = await askInSteps("Start Local Flink", 1, (ask) => ask.choose({
    placeholder: "Which Flink runs on this machine?",
    choices: [wanted, ...localFlinkVersions.filter((other) => other !== wanted)].map((each) => ({ label: `Flink ${each}`, description: each === wanted ? "chosen in the settings" : "", value: each })),
  }));
  if (version === undefined) return;
  const started = await world.progress.inNotification(`Starting Flink ${version}`, async (run) => (await world.localFlink()).start({
    version, port: current["localFlink.port"], javaHome: current["localFlink.javaHome"], mavenRepository: current["localFlink.mavenRepository"], keep,
  }, run));
  show(world, started);
  await world.progress.inView((run) => world.clusters.refresh(started.url, run.signal));
  world.notify.done(`Local Flink ${started.version} runs at ${started.url}.${keep ? "" : " It ends with this window."}`, [runSample, { title: "Open in Web UI", command: "flinkSavepoints.openWebUi", args: [{ cluster: started.url }] }]);
}

/** *Stop Local Flink*: asks only when jobs run on it, or when another window started it. */
export async function stopLocalFlink(world: CommandWorld): Promise<void> {
  const found = await (await world.localFlink()).find();
  if (found.state === "none") {
    world.clusters.setLocal(null);
    return world.notify.done("No local Flink runs.");
  }
  const { flink } = found;
  if (world.clusters.get(flink.url) !== undefined) await world.progress.inView((run) => world.clusters.refresh(flink.url, run.signal));
  const jobs = (world.clusters.get(flink.url)?.jobs ?? []).filter((job) => !isTerminal(job.state));
  const sentences = [
    jobs.length === 0 ? null : `${countText(jobs.length, "job")} ${jobs.length === 1 ? "runs" : "run"} on it: ${jobs.slice(0, 5).map((job) => oneLine(job.name, 60)).join(", ")}. ${jobs.length === 1 ? "It ends" : "They end"} without a savepoint.`,
    found.state === "running" && !flink.mine ? "Another window started it, or it is kept running." : null,
  ].filter((sentence) => sentence !== null);
  if (sentences.length > 0 && !(await world.notify.confirm({ title: `Stop local Flink ${flink.version}?`, detail: [...sentences, "Savepoints stay on disk."].join("\n\n"), button: "Stop" }))) return;
  await world.progress.inNotification("Local Flink", async (run) => (await world.localFlink()).stop(run));
  world.clusters.setLocal(null);
}

/** *Run Sample Job*: the jar that comes with the extension, started without state, once. */
export async function runSampleJob(world: CommandWorld, target?: ClusterRef): Promise<void> {
  const cluster = target?.cluster ?? world.clusters.list().find(({ profile }) => profile.local === true)?.profile.url;
  if (cluster === undefined) return world.notify.refused("The sample job runs on the local Flink, and none is running.", [{ title: "Start Local Flink", command: "flinkSavepoints.startLocalFlink" }]);
  const { ready, uploaded } = await world.progress.inView(async (run) => {
    const found = await world.restores.readiness(cluster, null, run.signal);
    if (found.refusals.length > 0) return { ready: found, uploaded: undefined };
    await world.clusters.refresh(cluster, run.signal);
    const jars = await world.clusters.client(cluster).jars(run.signal);
    return { ready: found, uploaded: jars.find((jar) => jar.name === sampleJarName) };
  });
  if (ready.refusals.length > 0) return refuse(world, "The sample job can't be started there.", ready.refusals);
  const running = world.restores.runningJobsNamed(cluster, sampleJobName)[0];
  if (running !== undefined) return world.notify.refused(`The sample job ${sampleJobName} runs already.`, [{ title: "Trigger Savepoint…", command: "flinkSavepoints.trigger", args: [{ cluster, jobId: running.jobId }] }]);
  const request: RestoreRequest = {
    cluster, jobName: sampleJobName, savepoint: null, programArgs: [], claimMode: "NO_CLAIM", allowNonRestoredState: false,
    jar: uploaded === undefined ? { file: world.sampleJar, name: sampleJarName } : { id: uploaded.jarId, name: uploaded.name },
  };
  const sinceMs = world.clock.now();
  const started = await waitFor(world, `Start of ${sampleJobName} ${cancelDropsStart}`, (run) => world.restores.start(request, run));
  if (started === undefined) return leaveStart(world, cluster, sinceMs);
  world.notify.done(`${runningText(started)}.`, [{ title: "Trigger Savepoint…", command: "flinkSavepoints.trigger", args: [{ cluster, jobId: started.id }] }]);
}

/** Shows a local Flink that runs already, offers one that was left over, and keeps the setting *keep running* true of it. To be called once, after activation. */
export async function watchLocalFlink(world: CommandWorld): Promise<Disposable> {
  const store = new DisposableStore();
  let kept = world.settings.current["localFlink.keepRunning"];
  store.add(world.settings.onDidChange(() => {
    const now = world.settings.current["localFlink.keepRunning"];
    if (now === kept) return;
    kept = now;
    void world.localFlink().then((flink) => flink.keep(now)).catch((error: unknown) => world.log.warn("keeping the local Flink", error));
  }));
  const found = await (await world.localFlink()).find();
  if (found.state === "none") return store;
  show(world, found.flink);
  if (found.state === "left-over") {
    world.notify.refused(`A local Flink ${found.flink.version} is left over, started ${ageText(found.flink.startedAtMs, world.clock.now())} by a window that is gone.`, [
      { title: "Keep", command: "flinkSavepoints.startLocalFlink" }, { title: "Stop", command: "flinkSavepoints.stopLocalFlink" },
    ]);
  }
  return store;
}

function show(world: CommandWorld, flink: RunningLocalFlink): void {
  world.clusters.setLocal({ name: localName, url: flink.url, local: true });
}
