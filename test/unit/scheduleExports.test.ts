import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { scheduleSchema } from "../../src/core/lifecycle/lifecycleFile";
import { exportKinds, exportSchedule, type ExportedSchedule } from "../../src/core/schedule/exports";
import { savepointScript } from "../../src/core/schedule/savepointScript";

const evil = "it's \"x\" $(FLINK_URL) $$HOME `id`\u2028apiVersion: v1\u0085kind: Pod\n* * * * * rm -rf /";
const exported = (job: string): ExportedSchedule => ({ schedule: scheduleSchema.parse({ name: "n\u2028kind: Pod\ntouch pwned", cluster: "local", job, cron: "0 3 1 * MON", directory: "s3://b/$(FLINK_URL)/x" }), url: "http://localhost:8081", flink: [1, 20] });

test("names from a file that anybody may have written stay text in every export: in comments, in YAML, for Kubernetes and in a crontab", () => {
  for (const kind of exportKinds) {
    const { text } = exportSchedule(kind, exported(evil));
    assert.doesNotMatch(text, /[\u0085\u2028\u2029]/, kind);
    assert.doesNotMatch(text, /^(?:touch pwned|kind: Pod|\* \* \* \* \* rm)/m, kind);
  }
  const job = parse(exportSchedule("cronjob", exported(evil)).text) as { spec: { jobTemplate: { spec: { template: { spec: { containers: { env: { name: string; value: string }[] }[] } } } } } };
  const value = job.spec.jobTemplate.spec.template.spec.containers[0]?.env.find(({ name }) => name === "FLINK_JOB")?.value ?? "";
  // Kubernetes puts variables in for $(NAME), and takes $$ for one dollar.
  assert.equal(value.replaceAll("$$", "$"), evil);
  assert.doesNotMatch(value.replaceAll("$$", ""), /\$/);
  assert.doesNotMatch(exportSchedule("operator", exported("plain")).text.split("END")[1]?.replaceAll("$$", "") ?? "", /\$\(FLINK_URL/);
});

test("GitHub Actions runs it in the schedule's time zone, takes nothing in its names for an expression of its own, and a paused one by hand only", () => {
  interface Workflow {
    readonly on: { readonly schedule?: readonly { readonly cron: string; readonly timezone?: string }[] };
    readonly jobs: { readonly savepoint: { readonly env: Readonly<Record<string, string>>; readonly steps: readonly { readonly run: string }[] } };
  }
  const workflow = (changes: object): Workflow => parse(exportSchedule("github", { ...exported("x"), schedule: scheduleSchema.parse({ name: "nightly", cluster: "local", job: "a ${{ secrets.TOKEN }} b", cron: "*/5 3 1 * SUN", ...changes }) }).text) as Workflow;
  const berlin = workflow({ timeZone: "Europe/Berlin" });
  assert.deepEqual(berlin.on.schedule, [{ cron: "0,10,20,30,40,50 3 1 * 0", timezone: "Europe/Berlin" }]);
  assert.deepEqual(workflow({}).on.schedule, [{ cron: "0,10,20,30,40,50 3 1 * 0" }]);
  assert.deepEqual(Object.keys(workflow({ enabled: false }).on), ["workflow_dispatch"]);
  // As GitHub evaluates it: the one expression is a string.
  assert.equal(berlin.jobs.savepoint.env["FLINK_JOB"]?.replaceAll("${{ '${{' }}", "${{"), "a ${{ secrets.TOKEN }} b");
  assert.equal(berlin.jobs.savepoint.env["FLINK_TOKEN"], "${{ secrets.FLINK_TOKEN }}");
  assert.equal(berlin.jobs.savepoint.steps[0]?.run, `python3 - <<'END'\n${savepointScript.trimEnd()}\nEND\n`);
  assert.doesNotMatch(savepointScript, /\$\{\{/);
});

test("a value with both kinds of quotes reaches cron whole: quotes end where the first of them comes again", () => {
  assert.match(exportSchedule("crontab", exported("it's \"x\"")).text, /^FLINK_JOB=it's "x"$/m);
});
