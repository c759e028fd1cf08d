import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { scratchFolder } from "../e2e/support/disk";
import { paimonJars, rootFolder, until } from "../rig/flink";
import { inWorkbench } from "../rig/page";
import { paimonFlinks } from "../rig/paimon";
import { paimonSet } from "../unit/paimonSets";
import { Keys } from "./support/keys";
import { bothThemes, pictures, Scene } from "./support/scene";

test("rule 10: secrets in the settings are pointed out once and moved to the secret storage, kept there over a reload, replaced, used by Paimon, and deleted with the warehouse", async (context) => {
  const [root, [jar = ""]] = await Promise.all([rootFolder(), paimonJars(paimonFlinks[0])]);
  const set = paimonSet("rolled-back");
  context.after(() => set.remove());
  const workspace = path.join(scratchFolder("secrets"), "workspace");
  mkdirSync(workspace);
  const warehouses = (accessKey = "${secret}", secretKey = "${secret}") => ({ "flinkSavepoints.warehouses": [{ name: "lake", path: set.warehouse, jars: [path.dirname(jar)], catalogOptions: { "s3.endpoint": "https://minio:9000", "s3.access-key": accessKey, "s3.secret-key": secretKey } }] });
  const moved = /2 secrets of lake moved to the secret storage/;
  await inWorkbench({ extensionsFrom: process.env["RIG_VSIX"] ?? root, workspace, settings: { ...bothThemes, ...warehouses("AKIA-7391", "wJalr-7391") }, name: "secrets" }, async (page, workbench) => {
    const scene = new Scene(workbench);
    const keys = new Keys(page);
    const asks = page.question(/Secrets of lake/);
    const enter = async (prompt: string, value: string, name: string): Promise<void> => {
      await keys.question(/Secrets of lake/, prompt);
      assert.equal(await asks.locator("input[type=password]:visible").count(), 1, prompt);
      await keys.type(value);
      await pictures(page, name);
      await keys.enter();
    };
    const createTag = async (): Promise<void> => {
      await page.contextMenu(/^app, table/, /^Create Tag/, page.question(/Create a tag of d\.app/));
      await page.choose(/Create a tag of d\.app/, "The newest");
      await keys.question(/Create a tag of snapshot/, "What is the tag called");
      await page.type(/Create a tag of snapshot/, "nightly");
      await keys.question(/Create a tag of snapshot/, "How long");
      await keys.enter();
    };

    await page.openView();
    await page.widenSideBar(480);
    const notice = /The settings hold s3\.access-key and s3\.secret-key of the warehouse lake in plain text/;
    await page.toast(notice);
    await pictures(page, "1 notice");
    await page.toastAction(notice, /^Move to Secret Storage/);
    assert.match(await page.modal(), /Move 2 secrets of lake out of the settings\?[^]*s3\.access-key[^]*s3\.secret-key[^]*the settings say \$\{secret\} instead/);
    await pictures(page, "2 move");
    await page.answer("Move");
    await page.toast(moved);
    await pictures(page, "3 moved");
    assert.deepEqual(scene.settings()["flinkSavepoints.warehouses"], warehouses()["flinkSavepoints.warehouses"]);
    assert.equal(await page.notification(notice).count(), 0);
    assert.deepEqual(scene.filesWith("AKIA-7391", "wJalr-7391"), [], "files of the workbench that hold a secret");

    // Kept when the window goes, as soon as the browser has sealed them. All are stored now: the command replaces one.
    await page.waitFor("the browser to keep the secrets", (timeout) => page.page.waitForFunction(() => localStorage.getItem("secrets.provider") !== null, undefined, { timeout }));
    await page.reload();
    await page.openView();
    await page.contextMenu(/^lake, Paimon warehouse/, /^Store Warehouse Secrets/, asks);
    await keys.question(/Secrets of lake/, "All are stored. Which one is replaced?");
    await pictures(page, "7 which one");
    await page.choose(/Secrets of lake/, "s3.secret-key");
    await enter("New value of s3.secret-key", "wJalr-2846", "8 new value");
    await page.toast(/s3\.secret-key of lake is kept in the secret storage/);
    assert.equal(await page.notification(notice).count(), 0);
    await page.expand(/^d, database/);
    await createTag();
    await until("the tag", () => Promise.resolve(existsSync(path.join(set.warehouse, "d.db", "app", "tag", "tag-nightly"))), 60_000);
    await page.expand(/^app, table/);
    await page.row(/^nightly, tag/);
    await pictures(page, "9 used");
    assert.deepEqual(scene.filesWith("wJalr-", "AKIA-"), [], "files of the workbench that hold a secret");
    assert.ok(!scene.log().includes("7391"));

    // The warehouse goes, and what was stored for it: named anew, it asks for both.
    await page.contextMenu(/^lake, Paimon warehouse/, /^Remove Warehouse/, page.dialog);
    assert.match(await page.modal(), /Remove lake\?[^]*forgets its 2 secrets:[^]*s3\.access-key[^]*s3\.secret-key/);
    await pictures(page, "10 remove");
    await page.answer("Remove");
    await page.rowGone(/^lake, Paimon warehouse/);
    // Sealed, nothing is 84 characters long.
    await page.waitFor("the browser to keep no secret", (timeout) => page.page.waitForFunction(() => (localStorage.getItem("secrets.provider") ?? "").length < 100, undefined, { timeout }));
    scene.setSettings(warehouses());
    await page.reload();
    await page.openView();
    await page.contextMenu(/^lake, Paimon warehouse/, /^Store Warehouse Secrets/, asks);
    await keys.question(/Secrets of lake/, "Value of s3.access-key");
  });
});
