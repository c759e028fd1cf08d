import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it as nodeIt } from "node:test";
import { localFlinkVersions } from "../../src/core/settings";
import { Controls, onDisk, savepointFolders, scratchFolder } from "../e2e/support/disk";
import { Eyes } from "../e2e/support/eyes";
import { FaultyProxy } from "../e2e/support/faultyProxy";
import { rootFolder, startFlink, until, type TestFlink } from "../rig/flink";
import { openPage, type WorkbenchPage } from "../rig/page";
import { startWorkbench, type Workbench } from "../rig/workbench";
import { testIdentities } from "../unit/httpServers";
import { basicAuthFront, deadAddress, loginPageFront, tlsFront, type Front } from "./support/fronts";
import { Keys } from "./support/keys";
import { bothThemes, pictures, Scene } from "./support/scene";
import { Verbs } from "./support/verbs";

const user = "operator";
const password = "sesame-open-7391";

/** Every state that the explorer can show, one after the other in one window, with pictures in both themes. The parts follow on each other. */
describe("what the explorer shows", () => {
  let root: string;
  let scratch: string;
  let flink: TestFlink;
  let eyes: Eyes;
  /** Between the extension and Flink, so that an answer can be lost. */
  let proxy: FaultyProxy;
  let workbench: Workbench;
  let page: WorkbenchPage;
  let keys: Keys;
  let verbs: Verbs;
  let scene: Scene;
  let dead: string;
  const fronts: Front[] = [];

  before(async () => {
    root = await rootFolder();
    scratch = scratchFolder("states");
    flink = await startFlink(localFlinkVersions[0], { extraConfig: { "web.refresh-interval": "200" } });
    eyes = new Eyes(flink);
    proxy = await FaultyProxy.open(flink.url);
    dead = await deadAddress();
    const workspace = path.join(scratch, "workspace");
    mkdirSync(workspace);
    workbench = await startWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace, settings: { ...bothThemes, "flinkSavepoints.refresh.intervalSeconds": 1 } });
    scene = new Scene(workbench);
    page = await openPage(workbench, { name: "states" });
    keys = new Keys(page);
    verbs = new Verbs(page);
    await page.openView();
    await page.widenSideBar(620);
  });
  after(async () => {
    await page?.picture("at the end").catch(() => undefined);
    await page?.close();
    await workbench?.stop();
    proxy?.close();
    for (const front of fronts) front.close();
    await flink?.stop();
  });

  /** Starts the test job with control files of its own. Of an argument that comes twice the first counts. */
  const start = async (name: string, ...args: readonly string[]): Promise<{ jobId: string; controls: Controls }> => {
    const control = path.join(scratch, `control-${name}`);
    mkdirSync(control, { recursive: true });
    const jobId = await eyes.run({ name, args: [...args, "--window", "false", "--broadcast", "false", "--control", control, "--restart-delay", "200 ms"] }, false);
    return { jobId, controls: new Controls(control) };
  };
  /** A part of the whole; after one that failed the rest would only wait for what does not come. */
  let failed: string | undefined;
  const it = (name: string, body: () => Promise<void>): void => void nodeIt(name, async (context) => {
    assert.equal(failed, undefined, "an earlier part failed");
    try {
      await body();
    } catch (error) {
      failed = name;
      context.diagnostic(`The extension's log ends with:\n${scene.log().slice(-4_000)}`);
      throw error;
    }
  });

  it("nothing at all: says so and offers what to do", async () => {
    // Until VS Code knows that the workspace is trusted the view says that it is not.
    const welcome = page.page.locator(".welcome-view-content:visible").filter({ hasText: /No Flink cluster is known yet\.[^]*Add Cluster[^]*Start Local Flink/ });
    await page.waitFor("the welcome view", (timeout) => welcome.waitFor({ timeout }));
    await pictures(page, "01 no cluster");
  });

  it("Add Cluster connects before it saves, and saves nothing that was given up", async () => {
    await page.waitFor("the welcome's button", (timeout) => page.page.locator(".welcome-view-content:visible").getByRole("button", { name: "Add Cluster" }).click({ timeout }));
    await keys.question(/Add Flink cluster/, "Address");
    await keys.type("flink.example.com");
    await page.waitFor("the remark on a text that is no address", (timeout) => page.page.locator(".quick-input-message").filter({ hasText: "An address that begins with http:// or https://" }).waitFor({ timeout }));
    await pictures(page, "02 add cluster, wrong address");
    await page.type("Add Flink cluster", dead);
    await keys.question(/Add Flink cluster/, "Name in the tree");
    await page.type("Add Flink cluster", "sandbox");
    const question = await page.modal();
    assert.match(question, /sandbox: connection refused/);
    assert.match(question, new RegExp(`Could not reach ${dead}: connection refused\\. Check that the cluster runs`));
    await pictures(page, "03 add cluster, does not connect");
    await page.answer("Cancel");
    assert.equal(scene.settings()["flinkSavepoints.clusters"], undefined);

    await keys.command("Flink Savepoints: Add Cluster…");
    await keys.question(/Add Flink cluster/, "Address");
    await page.type("Add Flink cluster", proxy.url);
    await keys.question(/Add Flink cluster/, "Name in the tree");
    await page.type("Add Flink cluster", "sandbox");
    await page.row(/^sandbox, Flink cluster, Flink/);
    assert.deepEqual(scene.settings()["flinkSavepoints.clusters"], [{ name: "sandbox", url: proxy.url }]);
  });

  it("an empty cluster says that it has no jobs", async () => {
    await page.row(/^No jobs/);
    await pictures(page, "04 empty cluster");
  });

  it("clusters that do not answer as they should each say why, a bad entry is named, and the others work", async () => {
    const login = await loginPageFront("Sign in · Acme");
    const secured = await basicAuthFront(flink.url, user, password);
    const tls = await tlsFront(testIdentities().server);
    fronts.push(login, secured, tls);
    scene.setSettings({ "flinkSavepoints.clusters": [
      { name: "sandbox", url: proxy.url }, { name: "asleep", url: dead }, { name: "behind a login", url: login.url }, { name: "secured", url: secured.url }, { name: "own authority", url: tls.url },
      { name: "mistyped", url: "ftp://flink.example.com" }, { name: "nameless" },
    ] });
    await page.reload();
    await page.toast(/flinkSavepoints\.clusters, “mistyped”: url: .*flinkSavepoints\.clusters, “nameless”: url: is missing/);
    await page.row(/^sandbox, Flink cluster, Flink/);
    const expected: Readonly<Record<string, readonly [RegExp, RegExp]>> = {
      "asleep": [/connection refused, (next try in|trying now)/, /^Could not reach it: connection refused\. Check that the cluster runs/],
      "behind a login": [/not a Flink REST API/, /^It answered with the page “Sign in · Acme” \(200\)\..* login page/],
      "secured": [/credentials not accepted \(401\)/, /^It did not accept our credentials \(401\)/],
      "own authority": [/no secure connection/, /^No secure connection to it: .*authority that is not trusted here\. Name the authority's PEM file as caFile/],
    };
    for (const [name, [state, sentence]] of Object.entries(expected)) {
      await page.expand(new RegExp(`^${name}, Flink cluster`));
      await page.row(new RegExp(`^${name}, Flink cluster, ${state.source}`));
      await page.row(sentence);
    }
    await pictures(page, "05 clusters that do not answer");
    await verbs.clearToasts();
  });

  it("credentials are set by hand, work, and lie in no setting, log or ledger", async () => {
    await page.contextMenu(/^secured/, /Set Credentials/, page.question(/Credentials for/));
    await keys.question(/Credentials for/, "How do you prove");
    await keys.press("Enter");
    await keys.question(/Credentials for/, "User name");
    await page.type(/Credentials for/, user);
    await keys.question(/Credentials for/, "Password");
    await keys.type(password);
    await pictures(page, "06 password");
    await keys.press("Enter");
    await page.row(/^secured, Flink cluster, Flink/);
    const shared = Buffer.from(`${user}:${password}`).toString("base64");
    assert.ok(!scene.log().includes(password) && !scene.log().includes(shared));
    assert.deepEqual(scene.filesWith(password, shared), [], "files of the workbench that hold the password");
    scene.setSettings({ "flinkSavepoints.clusters": [{ name: "sandbox", url: proxy.url }] });
    await page.reload();
    await page.row(/^sandbox/);
    await page.rowGone(/^secured/);
  });

  let orders: { jobId: string; controls: Controls };
  it("jobs: running, finished, failed, restarting", async () => {
    [orders] = await Promise.all([
      start("orders", "--checkpoint-interval", "1 s"),
      start("clickstream", "--count", "100", "--sleep-us", "0"),
      start("billing", "--restart", "none").then(({ controls }) => controls.on("fail-process")),
      start("fraud", "--restart-delay", "30 min").then(({ controls }) => controls.on("fail-process")),
    ]);
    await page.row(/^orders, job, running/);
    await page.row(/^clickstream, job, finished .* ago/);
    await page.row(/^billing, job, failed .* ago/);
    await page.row(/^fraud, job, restarting/);
    await page.expand(/^orders/);
    await page.row(/^Checkpoints, last .* ago/);
    await pictures(page, "07 jobs");
  });

  it("a savepoint under way shows its progress in the row and in the status bar", async () => {
    await verbs.trigger(/^orders/, "first");
    await page.toast(/Savepoint #\d+ of orders/);
    await verbs.clearToasts();
    orders.controls.on("hold-snapshot");
    await verbs.trigger(/^orders/, "slow one");
    await page.row(/^savepoint slow one, savepoint, running, writing \d+:\d\d, usually \d+ ms/);
    await page.row(/^orders, job, writing savepoint, running/);
    await page.statusBar(/Savepoint of orders · \d+:\d\d/);
    await page.toast(/Savepoint of orders.*Cancel only ends the waiting/);
    await pictures(page, "08 savepoint under way");
    orders.controls.off();
    await page.toast(/Savepoint #\d+ of orders · .* · \d+:\d\d/, 30_000);
    await page.waitFor("the status bar to be quiet again", (timeout) => page.page.locator(".statusbar-item").filter({ hasText: "Savepoint of orders" }).waitFor({ state: "detached", timeout }));
  });

  it("a job that never completed a checkpoint warns that a failing savepoint restarts it from nothing; then it fails, and says why", async () => {
    await verbs.clearToasts();
    const fragile = await start("fragile");
    await eyes.untilRuns(fragile.jobId);
    fragile.controls.on("fail-snapshot");
    await page.expand(/^fragile, job, running/);
    await verbs.trigger(/^fragile/, "doomed");
    assert.match(await page.modal(), /Take a savepoint of fragile\?[^]*periodic checkpointing is off\. If the attempt fails in the job, Flink restarts it without any state\./);
    await pictures(page, "09 restart without any state");
    await page.answer("Take Savepoint");
    await page.toast(/The savepoint of fragile failed: .*The failed attempt restarted the job/, 40_000);
    await page.row(/^(#\d+ )?failed doomed, savepoint, failed, .*fail-snapshot requested, restarted the job/);
    await pictures(page, "10 failed savepoint");
    await verbs.clearToasts();
    await eyes.cancel(fragile.jobId);
  });

  const titleOf = async (description: string): Promise<string> => `#${(await scene.savepoints(orders.jobId)).find((record) => record.description === description)?.checkpointId ?? "?"}`;
  it("a pinned savepoint is not disposed of, another one is", async () => {
    await eyes.savepointByOthers(orders.jobId);
    await page.row(/^#\d+, savepoint, completed, .* found$/);
    const pinned = await titleOf("first");
    await page.contextMenu(new RegExp(`^${pinned} first`), /^Pin/, page.treeItem(new RegExp(`^${pinned} first.*pinned`)));
    await page.contextMenu(new RegExp(`^${pinned} first`), /Dispose/, page.notification(new RegExp(`${pinned} of orders can't be disposed of yet\\. It is pinned\\. Unpin it first\\.`)));
    const other = await titleOf("slow one");
    await page.contextMenu(new RegExp(`^${other} slow one`), /Dispose/, page.dialog);
    assert.match(await page.modal(), new RegExp(`Dispose savepoint ${other} of orders\\?[^]*“slow one”, taken by hand`));
    assert.deepEqual([await page.notification("Checking who needs").count(), await page.question(/Dispose/).count()], [0, 0], "the looking has ended before the question is asked");
    await page.answer("Dispose");
    await page.row(new RegExp(`^${other} slow one, savepoint, disposed`), 30_000);
    await pictures(page, "11 pinned and disposed");
    await verbs.clearToasts();
  });

  it("the source of a restore is not disposed of before the job's next checkpoint", async () => {
    const source = await titleOf("first");
    await page.contextMenu(new RegExp(`^${source} first`), /Unpin/, page.treeItem(new RegExp(`^${source} first(?!.*pinned)`)));
    await eyes.cancel(orders.jobId);
    await page.row(/^orders, job, cancelled/);
    await verbs.restore(new RegExp(`^${source} first`), { args: `--job-name orders --window false --broadcast false`, claim: "Yours" });
    await page.toast(new RegExp(`orders runs, restored from ${source}`), 60_000);
    await verbs.clearToasts();
    await page.contextMenu(new RegExp(`^${source} first`), /Dispose/,
      page.notification(new RegExp(`${source} of orders can't be disposed of yet\\. orders \\([0-9a-f]{6}\\) was restored from it and has not completed a checkpoint since\\. It is safe after the next one`)));
    await pictures(page, "12 dispose refused");
    await verbs.clearToasts();
  });

  it("a restored job without a checkpoint of its own warns that a failing savepoint sets it back to where it began", async () => {
    const before = proxy.sent("POST", /./).length;
    await verbs.trigger(/^orders, job, running/);
    const source = await titleOf("first");
    const question = await page.modal();
    assert.match(question, /Take a savepoint of orders\?/);
    assert.match(question, /This job has no completed checkpoint; periodic checkpointing is off\. If the attempt fails in the job, Flink restarts it from .*savepoint-.*, and all state since then is lost\./);
    assert.ok(source.startsWith("#"));
    await pictures(page, "13 restart from scratch");
    await page.answer("Cancel");
    assert.equal(proxy.sent("POST", /./).length, before, "nothing was sent after the warning was not accepted");
  });

  it("a claimed savepoint says who has it", async () => {
    const found = (await scene.savepoints(orders.jobId)).find((record) => record.origin === "found");
    assert.ok(found?.checkpointId);
    for (const { jobId } of (await eyes.jobsNamed("orders")).filter((job) => job.state === "RUNNING")) await eyes.cancel(jobId);
    await page.rowGone(/^orders, job, running/);
    await verbs.restore(new RegExp(`^#${found.checkpointId}, savepoint`), { args: `--job-name orders --window false --broadcast false --checkpoint-interval "1 s"`, claim: "Flink's" });
    assert.match(await page.modal(), /Flink will delete the savepoint once newer checkpoints replace it/);
    await page.answer("Restore");
    await page.toast(new RegExp(`orders runs, restored from #${found.checkpointId}`), 60_000);
    await page.row(new RegExp(`^#${found.checkpointId}, savepoint, claimed, .*claimed by orders`));
    await pictures(page, "14 claimed");
    await verbs.clearToasts();
  });

  it("checkpoints that Flink discarded are one row", async () => {
    await page.expand(/^Checkpoints, last/);
    await page.row(/^\d+ older, discarded by Flink/, 30_000);
    await pictures(page, "15 checkpoints");
    await page.page.locator("[role=treeitem][aria-expanded=true]").and(page.treeItem(/^Checkpoints, last/)).locator(".monaco-tl-twistie").click();
  });

  it("of two running jobs of one name, Restore asks which is meant", async () => {
    const twin = await start("orders", "--checkpoint-interval", "1 s");
    await page.row(/^orders, job, running .*restored from #\d+/);
    await page.row(/^orders, job, (running|starting)(?!.*restored)/);
    await page.inlineAction(/^#\d+ first, savepoint, completed/, /Restore/, page.question(/Restore .* from/));
    const asked = await keys.question(/Restore orders from/, "2 jobs called orders run on sandbox");
    assert.ok(asked.includes(`orders (${twin.jobId.slice(0, 6)})`), asked);
    assert.match(asked, /Leave them running, and start another one/);
    await pictures(page, "16 which of two");
    await keys.press("Escape");
    await eyes.cancel(twin.jobId);
  });

  it("a ledger record that can't be read is set aside and named, and the rest is there", async () => {
    writeFileSync(path.join(scene.ledgerFolder, "0123456789abcdef0123456789abcdef.000007.json"), '{ "kind": "savepoint", "ver');
    await page.reload();
    await page.toast(/A ledger record could not be read and was set aside as .*0123456789abcdef0123456789abcdef\.000007\.json/);
    await page.row(/^Ledger record set aside: 0123456789abcdef0123456789abcdef\.000007\.json/);
    await page.row(/^orders, job, running/);
    assert.ok(existsSync(path.join(scene.ledgerFolder, "damaged", "0123456789abcdef0123456789abcdef.000007.json")), "it is kept");
    await pictures(page, "17 damaged record");
    await verbs.clearToasts();
  });

  it("a savepoint whose outcome Flink forgot is unknown until it is adopted", async () => {
    const job = await start("payments");
    await page.row(/^payments, job, running/);
    await eyes.untilRuns(job.jobId);
    const folders = (): string[] => savepointFolders(flink.savepointDir).filter((folder) => folder.hasMetadata && path.basename(folder.path).startsWith(`savepoint-${job.jobId.slice(0, 6)}`)).map((folder) => folder.path);
    // Flink takes it, and every answer about it is lost, until Flink has lost its memory.
    let sent = false;
    proxy.fate = ({ method, route }) => {
      sent ||= method === "POST" && /\/savepoints$/.test(route);
      return sent && method === "GET" && /\/savepoints\/|\/checkpoints/.test(route) ? { forward: false } : undefined;
    };
    await verbs.trigger(/^payments/, "lost");
    await page.modal();
    await page.answer("Take Savepoint");
    await until("the savepoint on the disk", () => Promise.resolve(folders().length === 1));
    await flink.killJobManager();
    proxy.calm();
    await flink.startJobManager();
    await page.toast(/Flink no longer knows how the savepoint of payments ended\..* a savepoint found there can be adopted/, 60_000);
    await page.expand(/^payments, job, no longer in Flink/);
    await page.row(/^savepoint lost, savepoint, unknown, .*outcome unknown, look here/);
    await pictures(page, "18 unknown");
    await verbs.clearToasts();
    await page.inlineAction(/^savepoint lost/, /Adopt/, page.question(/Adopt a savepoint of payments/));
    const [found] = folders();
    assert.ok(found !== undefined);
    const offered = await keys.question(/Adopt/, "most likely it is this one");
    assert.ok(offered.includes(path.basename(found)), offered);
    await pictures(page, "19 adopt");
    await keys.press("Enter");
    await page.row(new RegExp(`^${path.basename(found)} lost, savepoint, completed`));
    const [adopted] = await scene.savepoints(job.jobId);
    assert.deepEqual([adopted?.state, onDisk(adopted?.path ?? "")], ["completed", found]);
    await pictures(page, "20 adopted, and jobs that are gone");
  });

  it("a workspace that is not trusted defines no clusters", async () => {
    const strange = path.join(scratch, "strange");
    mkdirSync(path.join(strange, ".vscode"), { recursive: true });
    writeFileSync(path.join(strange, ".vscode", "settings.json"), JSON.stringify({ "flinkSavepoints.clusters": [{ name: "planted", url: proxy.url }] }));
    const { calls } = { calls: () => proxy.seen.length };
    scene.setSettings({ "flinkSavepoints.clusters": [], "security.workspace.trust.enabled": true, "security.workspace.trust.startupPrompt": "never", "security.workspace.trust.banner": "never" });
    await page.close();
    await until("the host of the closed window to end", () => Promise.resolve(workbench.extensionHostPids().length === 0));
    const address = new URL(workbench.url);
    address.searchParams.set("folder", strange);
    const before = calls();
    page = await openPage({ url: address.href }, { name: "states" });
    await page.openView();
    // The ledger remembers what was on that cluster before; nothing asks it.
    await page.row(/^sandbox, Flink cluster, not in the settings any more/);
    assert.ok(!(await page.rows()).some((row) => row.startsWith("planted")));
    await pictures(page, "21 untrusted workspace");
    assert.equal(calls(), before, "requests to the planted cluster");
  });
});
