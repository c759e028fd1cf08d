import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import type { Locator } from "playwright-core";
import { rootFolder } from "../rig/flink";
import { inWorkbench, type WorkbenchPage } from "../rig/page";
import { savepointRecord } from "../unit/ledgerSamples";
import { bothThemes, pictures, Scene } from "./support/scene";

const root = await rootFolder();
const extensionsFrom = process.env["RIG_VSIX"] ?? root;
const workspace = mkdtempSync(path.join(tmpdir(), "flink-savepoints-lint-"));
after(() => rmSync(workspace, { recursive: true, force: true }));

writeFileSync(path.join(workspace, "PaymentsJob.java"), `import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

public class PaymentsJob {
  static void build(StreamExecutionEnvironment env, KafkaSource<String> source) {
    env.fromSource(source, WatermarkStrategy.noWatermarks(), "Payments").uid("payments-source")
        .keyBy(payment -> payment.substring(0, 8))
        .reduce((one, other) -> one.compareTo(other) > 0 ? one : other)
        .name("Highest payment")
        .print();
  }
}
`);
writeFileSync(path.join(workspace, "totals.py"), `from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.common import Types


class CustomerTotals(KeyedProcessFunction):
    def open(self, context: RuntimeContext):
        self.total = context.get_state(ValueStateDescriptor("total", Types.LONG()))

    def process_element(self, value, ctx):
        total = (self.total.value() or 0) + value[1]
        self.total.update(total)
        yield value[0], total


env = StreamExecutionEnvironment.get_execution_environment()
env.set_max_parallelism(128)
orders = env.from_collection([("a", 1), ("b", 2)])
orders.key_by(lambda order: order[0]).process(CustomerTotals()).print()
orders.key_by(lambda order: order[1]).process(CustomerTotals()).print()
env.execute("totals")
`);

const squiggles = ({ page }: WorkbenchPage): Locator => page.locator(".monaco-editor .squiggly-warning");
const hover = ({ page }: WorkbenchPage): Locator => page.locator(".monaco-hover:visible").filter({ hasText: "has no uid" });
const offer = ({ page }: WorkbenchPage, title: string): Locator => page.locator(".action-widget .monaco-list-row").filter({ hasText: title }).first();

/** Opens a file of the workspace in an editor of its own. */
async function openFile(page: WorkbenchPage, name: string): Promise<void> {
  await page.openView("Explorer");
  await (await page.row(name)).dblclick();
  await page.waitFor(`${name} in an editor`, (timeout) => page.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor({ timeout }));
}

/** Points at the first squiggle and waits for what VS Code says of it. */
async function pointAtSquiggle(page: WorkbenchPage): Promise<void> {
  const box = await page.placeOf("a squiggle", squiggles(page));
  await page.page.mouse.move(box.x + box.width / 2, box.y + 4, { steps: 3 });
}

/** Opens the list of quick fixes of the first squiggle. Lines move while panels open and close, and an offer of a text that has changed since is none: a person asks again. */
async function openFixes(page: WorkbenchPage, expects: string): Promise<string[]> {
  await page.waitFor(`“${expects}” among the quick fixes`, async (timeout) => {
    for (const endMs = Date.now() + timeout; ; await page.page.keyboard.press("Escape")) {
      await pointAtSquiggle(page);
      await page.page.mouse.down();
      await page.page.mouse.up();
      await page.page.keyboard.press("Control+.");
      try {
        return await offer(page, expects).waitFor({ timeout: 6_000 });
      } catch (error) {
        if (Date.now() > endMs) throw error;
      }
    }
  }, 40_000);
  return (await page.page.locator(".action-widget .monaco-list-row.action").allInnerTexts()).map((text) => text.trim()).filter((text) => /^(Set uid|Ignore)/.test(text));
}

const noSquiggle = (page: WorkbenchPage): Promise<void> => page.waitFor("no squiggle", async (timeout) => {
  await page.page.waitForFunction(() => document.querySelectorAll(".monaco-editor .squiggly-warning").length === 0, undefined, { timeout });
});

async function save(page: WorkbenchPage, name: string): Promise<string> {
  await page.page.keyboard.press("Control+s");
  await page.waitFor("the file to be saved", (timeout) => page.page.locator(`.tab.active[data-resource-name="${name}"]:not(.dirty)`).waitFor({ timeout }));
  return readFileSync(path.join(workspace, name), "utf8");
}

test("the lint in the workbench", async (context) => {
  await inWorkbench({ extensionsFrom, workspace, settings: bothThemes, name: "lint" }, async (page, workbench) => {
    await context.test("a stateful operator without a uid is underlined, and the hover says why and leads to the rule's page", async () => {
      await openFile(page, "PaymentsJob.java");
      await pointAtSquiggle(page);
      await page.waitFor("the hover", (timeout) => hover(page).waitFor({ timeout }));
      await pictures(page, "java hover");
      await pointAtSquiggle(page);
      await hover(page).getByRole("link", { name: "missing-uid" }).first().click();
      await page.waitFor("the rule's page", (timeout) => page.page.locator(".tab.active").filter({ hasText: "missing-uid" }).waitFor({ timeout }));
      await page.waitFor("its text", (timeout) => page.page.locator(".monaco-editor .view-line").first().waitFor({ timeout }));
      await pictures(page, "rule page");
      await page.command("View: Close Editor");
    });

    await context.test("the Problems view lists it with where the stream became keyed", async () => {
      await page.page.keyboard.press("Control+Shift+m");
      await page.waitFor("the problem", (timeout) => page.page.locator(".markers-panel").getByText("has no uid").first().waitFor({ timeout }));
      await pictures(page, "java problems");
      await page.page.keyboard.press("Control+Shift+m");
    });

    await context.test("the quick fix sets a uid named after the operator, and the squiggle goes", async () => {
      const offers = await openFixes(page, "Set uid");
      assert.deepEqual(offers, ['Set uid "highest-payment"', "Ignore here…"]);
      await pictures(page, "java quick fix");
      if (!(await offer(page, "Set uid").isVisible())) await openFixes(page, "Set uid");
      await offer(page, 'Set uid "highest-payment"').click();
      await noSquiggle(page);
      assert.match(await save(page, "PaymentsJob.java"), /\.name\("Highest payment"\)\n {8}\.uid\("highest-payment"\)\n {8}\.print\(\);/);
      await pictures(page, "java fixed");
    });

    await context.test("an operator of a savepoint without uids can be named, and keeps its state", async () => {
      await new Scene(workbench).ledger.create(savepointRecord("0".repeat(32), {
        state: "completed", path: `file:${path.join(root, "test", "fixtures", "metadata", "1.20.5", "canonical")}`, checkpointId: 7, endedAtMs: 1_700_000_060_000, job: { id: "1".repeat(32), name: "Payments" },
      }));
      await page.page.keyboard.press("Control+z");
      const offers = await openFixes(page, "keep the state");
      assert.deepEqual(offers, ['Set uid "highest-payment" and keep the state of a savepoint…', 'Set uid "highest-payment"', "Ignore here…"]);
      await offer(page, "keep the state").click();
      const rows = await page.picker("Set uid and keep the state");
      assert.ok(rows.some((row) => /states blob, count, recent/.test(row)), rows.join("; "));
      await pictures(page, "keep state");
      await page.page.keyboard.press("Enter");
      await noSquiggle(page);
      assert.match(await save(page, "PaymentsJob.java"), /\n {8}\.uid\("highest-payment"\)\n {8}\.setUidHash\("[0-9a-f]{32}"\)\n/);
    });

    await context.test("in Python all uids of a file are set at once", async () => {
      await openFile(page, "totals.py");
      await pointAtSquiggle(page);
      await page.waitFor("the hover", (timeout) => hover(page).waitFor({ timeout }));
      await pictures(page, "python hover");
      const offers = await openFixes(page, "Set uids for all");
      assert.ok(offers.includes("Set uids for all 2 operators in this file"), offers.join());
      await pictures(page, "python quick fix");
      if (!(await offer(page, "Set uids for all").isVisible())) await openFixes(page, "Set uids for all");
      await offer(page, "Set uids for all").click();
      await noSquiggle(page);
      const saved = await save(page, "totals.py");
      assert.equal(new Set([...saved.matchAll(/\.uid\("([^"]+)"\)/g)].map(([, uid]) => uid)).size, 2, saved);
      await pictures(page, "python fixed");
    });

    await context.test("pointing at a uid shows its operator id, and the lens above it too", async () => {
      new Scene(workbench).setSettings({ "flinkSavepoints.lint.codeLens": true });
      await page.reload();
      await page.page.locator('.tab[data-resource-name="PaymentsJob.java"]').click();
      await page.waitFor("a lens", (timeout) => page.page.locator(".codelens-decoration").filter({ hasText: "uid payments-source · operator" }).waitFor({ timeout }));
      const uid = page.page.locator(".view-line span span").filter({ hasText: "payments-source" }).last();
      const box = await page.placeOf("the uid", uid);
      await page.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 3 });
      await page.waitFor("the hover", (timeout) => page.page.locator(".monaco-hover:visible").filter({ hasText: "Operator id" }).waitFor({ timeout }));
      await pictures(page, "uid hover");
    });
  });
});
