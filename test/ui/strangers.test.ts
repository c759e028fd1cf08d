import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { rootFolder } from "../rig/flink";
import { inWorkbench } from "../rig/page";
import { Keys } from "./support/keys";

const jobId = "ab12cd34ab12cd34ab12cd34ab12cd34";
/** VS Code makes of this, in messages and questions, a link that runs the command with arguments of the stranger's choice. */
const hostileName = "[orders](command:workbench.action.terminal.new) \u202Egpj.exe";

test("the name of a stranger's job is text in every message and question: no link, no command, nothing turned around", async (context) => {
  const url = await restartingJob(context);
  const settings = { "flinkSavepoints.clusters": [{ name: "strange", url }] };
  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? (await rootFolder()), workspace: path.join(await rootFolder(), "test", "rig", "workspace"), settings, name: "strangers" }, async (page) => {
    const keys = new Keys(page);
    await page.openView();
    await page.row(/orders/);

    await keys.command("Flink Savepoints: Trigger Savepoint");
    const row = page.page.locator(".quick-input-widget:visible .monaco-list-row").filter({ hasText: "orders" });
    await page.waitFor("the job to be offered", (timeout) => row.click({ timeout }));
    const toast = page.page.locator(".notification-list-item").filter({ hasText: "can't be saved now" });
    await page.waitFor("the refusal", (timeout) => toast.waitFor({ timeout }));
    await page.picture("toast");
    assert.equal(await toast.locator("a[href^='command:']").count(), 0, "a link in the message");
    assert.doesNotMatch(await toast.innerText(), /\u202E/);

    await keys.command("Flink Savepoints: Cancel without Savepoint");
    await page.waitFor("the job to be offered", (timeout) => row.click({ timeout }));
    const dialog = page.page.locator(".monaco-dialog-box");
    await page.waitFor("the dialog", (timeout) => dialog.getByRole("button", { name: "Cancel without Savepoint" }).click({ timeout }));
    await keys.question(/Cancel/);
    const question = page.page.locator(".quick-input-widget:visible");
    await page.picture("question");
    assert.match(await question.innerText(), /Type the job's name/);
    assert.equal(await question.locator("a").filter({ hasText: "orders" }).count(), 0, "a link in the question");
  });
});

/** A Flink whose only job has a hostile name, and restarts. */
async function restartingJob(context: TestContext): Promise<string> {
  const job = { jid: jobId, name: hostileName, state: "RESTARTING", "start-time": Date.now() - 60_000, "end-time": -1, now: Date.now(), vertices: [] };
  const answers: Readonly<Record<string, unknown>> = {
    "/config": { "flink-version": "1.20.1", features: { "web-submit": true, "web-cancel": true } },
    "/jobmanager/config": [],
    "/jobs/overview": { jobs: [job] },
    [`/jobs/${jobId}`]: job,
    [`/jobs/${jobId}/status`]: { status: "RESTARTING" },
    [`/jobs/${jobId}/checkpoints`]: { counts: {}, latest: {}, history: [] },
    [`/jobs/${jobId}/checkpoints/config`]: { interval: 60_000, timeout: 600_000 },
  };
  const server = http.createServer((request, response) => {
    const answer = answers[new URL(request.url ?? "", "http://x").pathname];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(answer ?? { errors: ["Not found: /"] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
