import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { readLifecycleFile } from "../../src/core/lifecycle/readLifecycleFile";
import { rootFolder, startFlink } from "../rig/flink";
import { inWorkbench, openPage, type WorkbenchPage } from "../rig/page";
import { Keys } from "./support/keys";
import { bothThemes, pictures, Scene } from "./support/scene";

const workspace = mkdtempSync(path.join(tmpdir(), "flink-savepoints-schedules-"));
after(() => rmSync(workspace, { recursive: true, force: true }));
const file = path.join(workspace, "flink-savepoints.json");
const schedules = () => readLifecycleFile(readFileSync(file, "utf8")).schedules.map(({ schedule }) => schedule);

async function message(page: WorkbenchPage, says: RegExp): Promise<void> {
  await page.waitFor(`the remark ${says.source}`, (timeout) => page.page.locator(".quick-input-widget:visible .quick-input-message").filter({ hasText: says }).waitFor({ timeout }));
}

test("schedules in the workbench", async (context) => {
  const root = await rootFolder();
  const flink = await startFlink("2.2.1");
  context.after(() => flink.stop());
  await flink.runTestJob({ "job-name": "enrich-orders", "window": false, "broadcast": false });
  const settings = { ...bothThemes, "files.autoSave": "off", "flinkSavepoints.clusters": [{ name: "rig", url: flink.url }] };
  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace, settings, name: "schedules" }, async (page, workbench) => {
    const keys = new Keys(page);
    const title = /Schedule savepoints of enrich-orders/;

    await context.test("a schedule is made from the job's row, its expression field by field; the field at fault says why, and the runs are shown before", async () => {
      await page.openView();
      await page.widenSideBar(520);
      await page.row(/enrich-orders/);
      await page.contextMenu(/enrich-orders/, /New Schedule/, page.question(title));
      await page.picker(title);
      await pictures(page, "how often");
      await page.choose(title, "Cron expression");
      await keys.question(/enrich-orders: minute/);
      await page.type(title, "75", false);
      await message(page, /75 is outside 0 to 59/);
      await pictures(page, "minute at fault");
      await page.type(title, "*/5");
      await keys.question(/enrich-orders: hour/);
      await page.type(title, "9-17");
      await keys.question(/enrich-orders: day of month/);
      await page.type(title, "?", false);
      await message(page, /is written as \*/);
      await page.type(title, "?");
      await keys.question(/enrich-orders: month/);
      await keys.enter();
      await keys.question(/enrich-orders: day of week/);
      await page.type(title, "MON-FRI", false);
      await message(page, /Monday to Friday/);
      await pictures(page, "meaning in words");
      await keys.enter();
      await page.choose(title, "UTC");
      await page.waitFor("the next runs", (timeout) => page.question(title).filter({ hasText: "next runs (UTC)" }).waitFor({ timeout }));
      await pictures(page, "next runs");
      await page.choose(title, "Use this");
      await page.choose(title, "Native");
      await page.choose(title, "configured on the cluster");
      await page.choose(title, "Skip this run");
      await keys.question(title, "such as: nightly");
      await page.type(title, "office hours");
      await page.choose(title, "for a team to commit");
      await page.toast(/scheduled\. Next run/);
      await pictures(page, "scheduled");
      assert.deepEqual(schedules().map(({ name, job, cron, timeZone, format, whenBusy, cluster }) => ({ name, job, cron, timeZone, format, whenBusy, cluster })), [
        { name: "office hours", job: "enrich-orders", cron: "*/5 9-17 * * MON-FRI", timeZone: "UTC", format: "native", whenBusy: "skip", cluster: flink.url },
      ]);
    });

    await context.test("the job's row has it with its next run; its button pauses it and resumes it", async () => {
      await page.expand(/enrich-orders/);
      await page.row(/Schedule office hours.*next in/);
      await page.inlineAction(/Schedule office hours/, /Pause Schedule/, page.page.locator(".monaco-list-row").filter({ hasText: /Schedule office hours.*paused/ }));
      await pictures(page, "paused");
      assert.equal(schedules()[0]?.enabled, false);
      await page.inlineAction(/Schedule office hours/, /Resume Schedule/, page.page.locator(".monaco-list-row").filter({ hasText: /Schedule office hours.*next in/ }));
      assert.equal(schedules()[0]?.enabled, true);
    });

    await context.test("it is run now by hand, and the savepoint counts as taken by hand", async () => {
      await page.contextMenu(/Schedule office hours/, /Run Schedule Now/, page.page.locator(".notification-toast").filter({ hasText: /Savepoint/ }));
      await page.toast(/Savepoint #\d+/);
      await page.command("Notifications: Clear All Notifications");
    });

    await context.test("in the file a ? is underlined with its mend, and pointing at an expression shows its runs", async () => {
      await (await page.row(/Schedule office hours/)).click();
      await page.waitFor("the file in an editor", (timeout) => page.page.locator(".tab.active[data-resource-name='flink-savepoints.json']").waitFor({ timeout }));
      writeFileSync(file, readFileSync(file, "utf8").replace("*/5 9-17 * * MON-FRI", "0 12 ? * MON"));
      const squiggle = page.page.locator(".monaco-editor .squiggly-error");
      await page.waitFor("a squiggle", (timeout) => squiggle.first().waitFor({ state: "attached", timeout }));
      const point = async (place: typeof squiggle): Promise<void> => {
        const box = await page.placeOf("what is pointed at", place);
        await page.page.mouse.move(box.x + box.width / 2, box.y + 4, { steps: 3 });
      };
      await point(squiggle);
      await page.waitFor("the hover", (timeout) => page.page.locator(".monaco-hover:visible").filter({ hasText: "? is not supported" }).waitFor({ timeout }));
      await pictures(page, "question mark");
      const fix = page.page.locator(".action-widget .monaco-list-row").filter({ hasText: "Write * for ?" }).first();
      await page.waitFor("the quick fix", async (timeout) => {
        // A click that went into the hover over it is made again.
        for (const untilMs = Date.now() + timeout; ;) {
          await page.page.keyboard.press("Escape");
          await point(squiggle);
          await page.page.mouse.down();
          await page.page.mouse.up();
          await page.page.keyboard.press("Control+.");
          if (await fix.waitFor({ timeout: Math.max(1, Math.min(5_000, untilMs - Date.now())) }).then(() => true, () => false)) return;
          assert.ok(Date.now() < untilMs, "the quick fix is not offered");
        }
      });
      await page.page.keyboard.press("Enter");
      await page.waitFor("no squiggle", (timeout) => squiggle.first().waitFor({ state: "detached", timeout }));
      await page.page.keyboard.press("Control+s");
      await point(page.page.locator(".monaco-editor .view-line").filter({ hasText: "cron" }).locator("span span").filter({ hasText: "0 12" }));
      await page.waitFor("the runs", (timeout) => page.page.locator(".monaco-hover:visible").filter({ hasText: "At 12:00 on every Monday" }).waitFor({ timeout }));
      await pictures(page, "hover");
      assert.equal(schedules()[0]?.cron, "0 12 * * MON");
    });

    await context.test("it is exported into an editor, for review", async () => {
      await page.contextMenu(/Schedule office hours/, /Export Schedule/, page.question(/Export schedule/));
      await page.choose(/Export schedule/, "Flink Kubernetes Operator");
      await page.waitFor("the resource", (timeout) => page.page.locator(".monaco-editor .view-line").filter({ hasText: "kind: FlinkDeployment" }).first().waitFor({ timeout }));
      await pictures(page, "exported");
    });

    await context.test("Edit Schedule asks with what it says now, writes what was answered and leaves the rest of the file as it was", async () => {
      // The exported text is nobody's file: closing it would ask whether to save it.
      await page.waitFor("the file's editor to close", async (timeout) => {
        await page.page.locator(".tab[data-resource-name='flink-savepoints.json']").click({ button: "middle", timeout });
        await page.page.locator(".tab[data-resource-name='flink-savepoints.json']").waitFor({ state: "detached", timeout });
      });
      writeFileSync(file, readFileSync(file, "utf8").replace('"cron"', '// why at noon\n      "retries": 1,\n      "cron"'));
      await page.row(/Schedule office hours.*waits for your agreement/);
      const edit = /Schedule office hours of enrich-orders/;
      await page.contextMenu(/Schedule office hours/, /Edit Schedule/, page.question(edit));
      await page.picker(edit);
      await pictures(page, "edit");
      await page.choose(edit, "Cron expression");
      await keys.question(/office hours of enrich-orders: minute/);
      await keys.enter();
      await keys.question(/office hours of enrich-orders: hour/);
      assert.equal(await page.page.locator(".quick-input-widget:visible input").first().inputValue(), "12", "as it is now");
      await page.type(edit, "13");
      for (const field of [/: day of month/, /: month/, /: day of week/]) {
        await keys.question(field);
        await keys.enter();
      }
      await page.choose(edit, "UTC");
      await page.choose(edit, "Use this");
      await page.choose(edit, "Canonical");
      await page.choose(edit, "configured on the cluster");
      await page.choose(edit, "Wait for its end");
      await page.row(/Schedule office hours.*next in/);
      const [edited] = schedules();
      assert.deepEqual([edited?.cron, edited?.format, edited?.whenBusy, edited?.retries], ["0 13 * * MON", "canonical", "wait", 1]);
      assert.match(readFileSync(file, "utf8"), /\/\/ why at noon/);
    });

    await context.test("what a commit changed runs once somebody here agreed to it, and the question says what changed", async () => {
      await page.command("Notifications: Clear All Notifications");
      writeFileSync(file, readFileSync(file, "utf8").replace('"retries": 1', '"retries": 1, "directory": "/tmp/of-the-committer"'));
      await page.row(/Schedule office hours.*waits for your agreement/);
      await page.toast(/waits for your agreement, and runs here only with it/);
      await pictures(page, "waits for agreement");
      await page.inlineAction(/Schedule office hours/, /Agree to Schedule/, page.dialog);
      assert.match(await page.modal(), /directory: not set → \/tmp\/of-the-committer/);
      await pictures(page, "agree");
      await page.answer("Run Here");
      await page.row(/Schedule office hours.*next in/);
    });

    await context.test("what is wrong in a file that is not open stands in the Problems view, with a schedule of a cluster that is not known, and leads there", async () => {
      const [good] = schedules();
      writeFileSync(file, JSON.stringify({ schedules: [good, { ...good, name: "broken", cron: "75 * * * *" }, { ...good, name: "elsewhere", cluster: "nowhere" }] }, null, 2));
      await page.toast(/75 is outside 0 to 59/);
      await page.command("Problems: Focus on Problems View");
      const problem = (says: string) => page.page.locator(".markers-panel .monaco-list-row").filter({ hasText: says });
      await page.waitFor("the unknown cluster", (timeout) => problem("No cluster of the settings has the name or address nowhere").waitFor({ timeout }));
      await page.waitFor("the broken field", (timeout) => problem("75 is outside 0 to 59").waitFor({ timeout }));
      await pictures(page, "problems");
      await problem("75 is outside 0 to 59").dblclick();
      await page.waitFor("the file in an editor", (timeout) => page.page.locator(".tab.active[data-resource-name='flink-savepoints.json']").waitFor({ timeout }));
      writeFileSync(file, JSON.stringify({ schedules: [good] }, null, 2));
      await page.waitFor("nothing to be wrong", (timeout) => problem("75 is outside").waitFor({ state: "detached", timeout }));
    });

    await context.test("a workspace that is not trusted schedules nothing; trusted later, it does, once its schedule is agreed to", async () => {
      const strange = mkdtempSync(path.join(tmpdir(), "flink-savepoints-strange-"));
      context.after(() => rmSync(strange, { recursive: true, force: true }));
      writeFileSync(path.join(strange, "flink-savepoints.json"), JSON.stringify({ schedules: [{ name: "planted", cluster: flink.url, job: "enrich-orders", cron: "0 0 * * *" }] }));
      const scene = new Scene(workbench);
      scene.setSettings({ "security.workspace.trust.enabled": true, "security.workspace.trust.startupPrompt": "never", "security.workspace.trust.banner": "never" });
      const address = new URL(workbench.url);
      address.searchParams.set("folder", strange);
      const stranger = await openPage({ url: address.href }, { name: "schedules" });
      try {
        await stranger.openView();
        await stranger.widenSideBar(520);
        await stranger.expand(/enrich-orders/);
        await stranger.row(/^Savepoints/);
        assert.ok(!(await stranger.rows()).some((row) => /planted/.test(row)), "nothing is scheduled");
        await stranger.command("Workspaces: Manage Workspace Trust");
        await stranger.waitFor("the button that trusts", (timeout) => stranger.page.locator(".workspace-trust-editor").getByRole("button", { name: /^Trust$/ }).first().click({ timeout }));
        const overlay = stranger.page.locator(".monaco-modal-editor-block");
        await stranger.waitFor("the question of trust to close", async (timeout) => {
          await overlay.locator(".codicon-close").last().click({ timeout });
          await overlay.waitFor({ state: "detached", timeout });
        });
        await stranger.row(/Schedule planted.*waits for your agreement/);
        await stranger.inlineAction(/Schedule planted/, /Agree to Schedule/, stranger.dialog);
        await stranger.answer("Run Here");
        await stranger.row(/Schedule planted.*next in/);
      } finally {
        await stranger.close();
      }
    });
  });
});
