import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { rootFolder } from "../rig/flink";
import { inWorkbench } from "../rig/page";
import { paimonFlinks, startPaimon } from "../rig/paimon";
import { Keys } from "./support/keys";
import { bothThemes, pictures, Scene } from "./support/scene";

// No checkpoint comes by itself within this test: what has to wait for one waits until the test asks for it.
const rarely = 3_600_000;

test("P-1…P-7, P-13: a running job with Paimon sinks in the window: its warehouse, what is said before each verb, tags that come, tag verbs, and the warehouse goes", async (context) => {
  const root = await rootFolder();
  const [version] = paimonFlinks;
  const paimon = await startPaimon(version);
  context.after(() => paimon.stop());
  const { flink, warehouse } = paimon;
  const settings = { ...bothThemes, "flinkSavepoints.refresh.intervalSeconds": 1, "flinkSavepoints.clusters": [{ name: "orders-prod", url: flink.url }] };
  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace: path.join(root, "test", "rig", "workspace"), settings, name: "paimonLive" }, async (page, workbench) => {
    const scene = new Scene(workbench);
    const keys = new Keys(page);
    const jobId = await paimon.runJob({ interval: rarely });
    await page.openView();
    await page.widenSideBar(560);

    // Its row appears and can be used once the list of warehouses is not empty.
    await page.command("Flink Savepoints: Add Warehouse");
    await keys.question(/Add Paimon warehouse/, "Location");
    await page.type(/Add Paimon warehouse/, "relative/folder", false);
    await page.waitFor("the remark on a relative path", (timeout) => page.question(/Add Paimon warehouse/).getByText("An absolute path, or a URI").waitFor({ timeout }));
    await page.type(/Add Paimon warehouse/, warehouse);
    await keys.question(/Add Paimon warehouse/, "Name");
    await keys.type("lake");
    await keys.enter();
    await page.row(/^lake, Paimon warehouse/);
    await page.expand(/^sales, database/);
    await page.row(/^orders, table, 0 snapshots/);
    await page.row(/^events, table/);
    await pictures(page, "1 warehouse");

    // The first commit of the tables comes by the verb of the row.
    await page.expand(/^orders-prod/);
    const job = /^orders, job/;
    await page.expand(job);
    const checkpointAsked = page.notification(/orders takes a checkpoint/);
    await page.contextMenu(job, /^Trigger Checkpoint/, checkpointAsked);
    await pictures(page, "2 checkpoint");
    await page.row(/^orders, table, .*[1-9] snapshots?/);

    // Before a savepoint: when it is committed and tagged, and what does so at once.
    await page.contextMenu(job, /^Trigger Savepoint/, page.question(/Savepoint of orders/));
    for (const asks of ["Where", "ormat", "A note"]) {
      await keys.question(/Savepoint of orders/, asks);
      await keys.enter();
    }
    assert.match(await page.modal(), /Take a savepoint of orders\?.*It writes Paimon \(orders, events\)\. This savepoint is committed to the tables, and tagged, with the checkpoint after it \(≈ 1 h\); if the job ends before, there is no tag\. Stop with Savepoint commits and tags at once/s);
    await pictures(page, "3 before a savepoint");
    await page.answer(/^Take Savepoint/);
    await page.toast(/Savepoint #\d+ of orders/, 60_000);
    const [savepoint] = await scene.savepoints(jobId);
    assert.ok(savepoint !== undefined && savepoint.checkpointId !== null);
    const number = savepoint.checkpointId;
    const row = new RegExp(`^#${number}, savepoint, completed`);
    // Its row can be opened once it is paired.
    await page.row(new RegExp(`^#${number}, savepoint, completed, .*tags to come`), 60_000);
    await page.expand(row);
    await page.row(/^sales\.orders, pair, waiting, tag after the next checkpoint/);
    await pictures(page, "4 waiting");

    // Cancelling gives the tags up, and says so.
    await page.contextMenu(job, /^Cancel/, page.dialog);
    assert.match(await page.modal(), new RegExp(`#${number} has no tag yet in sales\\.(orders|events), sales\\.(orders|events): that comes with the next checkpoint, and not at all when the job is cancelled`));
    await page.picture("5 cancel");
    await page.page.keyboard.press("Escape");

    // Watched until its tags are there: nothing is told of that, the rows say it.
    await page.contextMenu(job, /^Trigger Checkpoint/, page.notification(/orders takes a checkpoint/));
    await page.row(new RegExp(`^sales\\.orders, pair, exact, tag savepoint-${number}, proven`), 60_000);
    await page.row(new RegExp(`^#${number}, savepoint, completed, .*2 tables paired`));
    await page.waitFor("the end of the watch", async (timeout) => {
      for (const endMs = Date.now() + timeout; (await scene.savepoints(jobId))[0]?.tagsSettledAtMs === undefined; await page.page.waitForTimeout(250)) if (Date.now() > endMs) throw new Error("not settled");
    });
    await pictures(page, "6 paired");

    // The inspector tells the same, with what proves it.
    const view = page.page.frameLocator("iframe.webview.ready:visible").frameLocator("#active-frame");
    await page.contextMenu(row, /^Inspect/, page.page.locator(".tabs-container .tab").filter({ hasText: "_metadata" }).or(page.page.locator(".tabs-container .tab").filter({ hasText: `#${number}` })));
    const line = view.getByRole("region", { name: "Paimon" });
    await page.waitFor("what the inspector says of Paimon", (timeout) => line.getByText(new RegExp(`Writes Paimon: .*sales\\.(orders|events) tag savepoint-${number}`)).waitFor({ timeout }));
    await page.waitFor("why", async (timeout) => {
      await line.getByRole("button", { name: "Why" }).click({ timeout });
      await line.getByText(/sales\.orders, exact: .* named in the savepoint\./).waitFor({ timeout });
    });
    await pictures(page, "7 inspector");

    // A pair is pinned in both tables, under a name that Paimon never touches.
    const pin = `fsp-${jobId.slice(0, 8)}-${number}`;
    await page.contextMenu(row, /^Pin Pair/, page.question(/Pin the pair/));
    await keys.question(/Pin the pair of #\d+ of orders/, "How long");
    await page.picture("8 pin");
    await keys.enter();
    await page.toast(new RegExp(`The tag ${pin} keeps what belongs to #${number} of orders in sales\\.(orders|events), sales\\.(orders|events)\\.`), 120_000);

    // Tags below their table: whose they are, and the verbs.
    await page.expand(/^orders, table/);
    const own = new RegExp(`^savepoint-${number}, tag, pairs with #${number}`);
    await page.row(own);
    await page.row(new RegExp(`^${pin}, tag, pairs with #${number}`));
    await page.contextMenu(/^orders, table/, /^Create Tag/, page.question(/Create a tag of sales\.orders/));
    await page.choose(/Create a tag of sales\.orders/, "The newest");
    await keys.question(/Create a tag of snapshot/, "What is the tag called");
    await page.type(/Create a tag of snapshot/, "savepoint-77", false);
    await page.waitFor("the remark on a name that is Paimon's", (timeout) => page.question(/Create a tag/).getByText("Paimon gives this name to a savepoint's tag").waitFor({ timeout }));
    await page.type(/Create a tag of snapshot/, "nightly");
    await keys.question(/Create a tag of snapshot/, "How long");
    await page.choose(/Create a tag of snapshot/, "7 days");
    const nightly = /^nightly, tag, .*(7 d|6 d)/;
    await page.row(nightly, 60_000);
    await pictures(page, "9 tags");

    await page.contextMenu(nightly, /^Compare with/, page.question(/Compare the tag nightly/));
    await page.choose(/Compare the tag nightly/, `savepoint-${number}`);
    await page.waitFor("the comparison", (timeout) => page.page.locator(".monaco-editor .view-line").filter({ hasText: /nightly/ }).first().waitFor({ timeout }));
    await pictures(page, "10 compared");
    await page.contextMenu(own, /^Copy Command/, page.question(/Copy a command/));
    await page.choose(/Copy a command/, "Rolls the table back");
    await page.choose(/Copy a command/, "1.19 and newer");
    await page.statusBar(/Copied the command/);
    assert.equal(await page.clipboard(), `CALL \`paimon\`.sys.rollback_to(\`table\` => 'sales.orders', tag => 'savepoint-${number}');`);

    await page.contextMenu(nightly, /^Rename Tag/, page.question(/Rename the tag nightly/));
    await page.type(/Rename the tag nightly/, "before-release");
    await page.row(/^before-release, tag/, 60_000);
    await page.rowGone(nightly);
    await page.contextMenu(/^before-release, tag/, /^Delete Tag/, page.dialog);
    assert.match(await page.modal(), /Delete the tag before-release of sales\.orders\?/);
    await page.answer(/^Delete$/);
    await page.rowGone(/^before-release, tag/, 60_000);
    await page.contextMenu(own, /^Delete Tag/, page.dialog);
    assert.match(await page.modal(), new RegExp(`#${number} of orders pairs with it\\.\\s+The tag ${pin} keeps the same snapshot\\.`));
    await pictures(page, "11 delete");
    await page.page.keyboard.press("Escape");
    await page.waitFor("the question to close", (timeout) => page.dialog.waitFor({ state: "detached", timeout }));

    // A stop commits and tags at once; a drained one never.
    await page.contextMenu(job, /^Stop with Savepoint/, page.question(/Stop orders with a savepoint/));
    await page.choose(/Stop orders with a savepoint/, "Drain, then stop");
    for (const asks of ["Where", "ormat", "A note"]) {
      await keys.question(/Stop orders with a savepoint/, asks);
      await keys.enter();
    }
    assert.match(await page.modal(), /A drained job commits orders, events as the end of its input: Paimon makes no tag for this savepoint\./);
    await pictures(page, "12 drain");
    await page.page.keyboard.press("Escape");
    await page.waitFor("the question to close", (timeout) => page.dialog.waitFor({ state: "detached", timeout }));
    await page.contextMenu(job, /^Stop with Savepoint/, page.question(/Stop orders with a savepoint/));
    for (const asks of ["How does", "Where", "ormat", "A note"]) {
      await keys.question(/Stop orders with a savepoint/, asks);
      await keys.enter();
    }
    await page.toast(/orders is stopped/, 60_000);
    const stopped = (await scene.savepoints(jobId))[0]?.checkpointId ?? 0;
    assert.ok(stopped > number);
    await page.row(new RegExp(`^#${stopped}, savepoint, completed, .*2 tables paired`), 60_000);

    // Back to the earlier one: the tables went on since, and its tags outlive it.
    await page.contextMenu(row, /^Restore/, page.question(/orders/));
    await keys.question(/orders/, "Which program");
    await page.choose(/orders/, "paimon-job.jar");
    await keys.question(/orders/, "Arguments");
    await keys.type(`--warehouse ${warehouse} --interval ${rarely}`);
    await keys.enter();
    for (const asks of ["Parallelism", "Whose", "All is set"]) {
      await keys.question(/orders/, asks);
      await keys.enter();
    }
    assert.match(await page.modal(), /Its Paimon tables sales\.(orders|events), sales\.(orders|events) went on since this savepoint\..* roll them back to the tag of this savepoint first/s);
    await pictures(page, "13 restore");
    await page.page.keyboard.press("Escape");
    await page.waitFor("the question to close", (timeout) => page.dialog.waitFor({ state: "detached", timeout }));
    await page.contextMenu(row, /^Dispose/, page.dialog);
    assert.match(await page.modal(), new RegExp(`It pairs with the Paimon tags (${pin}, savepoint-${number}|savepoint-${number}, ${pin}) of sales\\.(orders|events)`));
    await pictures(page, "14 dispose");
    await page.page.keyboard.press("Escape");
    await page.waitFor("the question to close", (timeout) => page.dialog.waitFor({ state: "detached", timeout }));

    // A table whose savepoints get no tag: the fix before, and what to do after.
    const plainId = await paimon.runJob({ interval: rarely, name: "plain", database: "bare", tables: "loose", autoTag: false });
    const plain = /^plain, job/;
    await page.expand(plain);
    await page.contextMenu(plain, /^Trigger Savepoint/, page.question(/Savepoint of plain/));
    for (const asks of ["Where", "ormat", "A note"]) {
      await keys.question(/Savepoint of plain/, asks);
      await keys.enter();
    }
    assert.match(await page.modal(), /It writes Paimon \(loose\)\. This savepoint is committed to the tables with the checkpoint after it.*Savepoints get no tag in loose: sink\.savepoint\.auto-tag is off on the table, unless the job sets it by a hint/s);
    await pictures(page, "15 no tags");
    await page.answer(/^Copy Fix/);
    await page.statusBar(/Copied the statement/);
    assert.equal(await page.clipboard(), "ALTER TABLE `paimon`.`bare`.`loose` SET ('sink.savepoint.auto-tag' = 'true');");
    await page.modal();
    await page.answer(/^Take Savepoint/);
    await page.toast(/Savepoint #\d+ of plain/, 60_000);
    await page.contextMenu(plain, /^Trigger Checkpoint/, page.notification(/plain takes a checkpoint/));
    const missing = /of plain: no tag comes in bare\.loose, since sink\.savepoint\.auto-tag is off/;
    await page.toast(missing, 60_000);
    await pictures(page, "16 untagged");
    await page.toastAction(missing, "Tag Now…");
    await keys.question(/Pin the pair of #\d+ of plain/, "How long");
    await keys.enter();
    await page.toast(/The tag fsp-[0-9a-f]+-\d+ keeps what belongs to #\d+ of plain in bare\.loose\./, 60_000);
    await page.expand(new RegExp(`^#${(await scene.savepoints(plainId))[0]?.checkpointId ?? 0}, savepoint, completed, .*1 table paired`));
    await page.row(/^bare\.loose, pair, exact, tag fsp-/);
    await pictures(page, "17 tagged by hand");

    await page.contextMenu(/^lake, Paimon warehouse/, /^Remove Warehouse/, page.dialog);
    assert.match(await page.modal(), /Remove lake\?.*Its tables, tags and files stay as they are\./s);
    await page.picture("18 remove");
    await page.answer(/^Remove/);
    await page.rowGone(/^Paimon/);
    await page.rowGone(/, pair, exact/);
    assert.deepEqual(scene.settings()["flinkSavepoints.warehouses"] ?? [], []);
  });
});
