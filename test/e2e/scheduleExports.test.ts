import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import { parse, parseAllDocuments } from "yaml";
import { scheduleSchema, type Schedule } from "../../src/core/lifecycle/lifecycleFile";
import { exportSchedule } from "../../src/core/schedule/exports";
import { savepointScript } from "../../src/core/schedule/savepointScript";
import { startFlink, type TestFlink } from "../rig/flink";
import { schedulePeers, textInJar } from "../rig/schedulePeers";
import { savepointFolders, scratchFolder } from "./support/disk";
import { assertSameButAtChanges, compareWithQuartz } from "./support/quartzSuite";

const schedule = (changes: Partial<Schedule>): Schedule => scheduleSchema.parse({ name: "nightly", cluster: "http://orders-rest.flink:8081", job: "Enrich orders", cron: "0 3 * * *", ...changes });
const url = "http://orders-rest.flink:8081";

test("600 random expressions run by Quartz's own CronExpression when they run here, in six zones, but in hours when clocks change", async () => {
  const { quartz } = await schedulePeers();
  assertSameButAtChanges(await compareWithQuartz(quartz, { count: 600, seed: 20_261_129, days: 60, starts: ["2027-02-20", "2027-09-20", "2027-05-20"], atMost: 800 }));
});

test("the exported resources of the operator are what its custom resource definitions ask for, without a field that they do not know", async () => {
  const { operatorApi } = await schedulePeers();
  const check = new Map<string, (value: unknown) => string[]>();
  for (const kind of ["flinkdeployments", "flinkstatesnapshots"]) {
    const crd = parse(await textInJar(operatorApi, `META-INF/fabric8/${kind}.flink.apache.org-v1.yml`)) as { spec: { names: { kind: string }; versions: { name: string; schema: { openAPIV3Schema: object } }[] } };
    const version = crd.spec.versions.find(({ name }) => name === "v1beta1");
    assert.ok(version);
    const validate = new Ajv({ strict: false, allErrors: true }).compile(withoutUnknown({ ...version.schema.openAPIV3Schema, ...{ properties: { apiVersion: { const: "flink.apache.org/v1beta1" }, kind: { const: crd.spec.names.kind }, metadata: { type: "object", "x-kubernetes-preserve-unknown-fields": true }, ...(version.schema.openAPIV3Schema as { properties: object }).properties } } }) as object);
    check.set(crd.spec.names.kind, (value) => (validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message ?? ""} ${JSON.stringify(params)}`)));
  }
  assert.notDeepEqual(check.get("FlinkDeployment")?.({ apiVersion: "flink.apache.org/v1beta1", kind: "FlinkDeployment", metadata: {}, spec: { flinkVersion: "v9", surely: "unknown" } }), []);
  let snapshots = 0;
  for (const each of [schedule({}), schedule({ cron: "0 12 1 * 5", directory: "s3://b/sp", format: "native", timeZone: "Europe/Berlin" }), schedule({ cron: "*/5 9-17 * * MON-FRI", blackouts: [{ firstDay: "2026-12-24", lastDay: "2026-12-26" }] })]) {
    const { text } = exportSchedule("operator", { schedule: each, url, flink: [1, 20] });
    for (const document of parseAllDocuments(text)) {
      const resource = document.toJS() as { kind: string; spec: { jobTemplate?: { spec: { template: { spec: { containers: { args: string[] }[] } } } } } };
      if (resource.kind === "CronJob") {
        const shell = resource.spec.jobTemplate?.spec.template.spec.containers[0]?.args[0] ?? "";
        assert.deepEqual(check.get("FlinkStateSnapshot")?.(parse(shell.split("\n").slice(1, -2).join("\n"))), []);
        snapshots++;
      } else assert.deepEqual(check.get(resource.kind)?.(resource), [], text);
    }
  }
  assert.equal(snapshots, 1);
});

describe("the exported program, on a real Flink", () => {
  let flink: TestFlink;
  const folder = scratchFolder("exported");
  before(async () => {
    flink = await startFlink("1.20.5");
  });
  after(() => flink?.stop());

  const run = (environment: Record<string, string>): Promise<{ stdout: string }> => promisify(execFile)("python3", ["-c", savepointScript], { env: { ...process.env, FLINK_URL: flink.url, FLINK_JOB: "orders", SAVEPOINT_DIRECTORY: folder, SCHEDULE_ZONE: "Europe/Berlin", ...environment } });

  test("takes one savepoint of the job of that name, also when it is started twice for one minute, and none while the job does not run or in a blackout", async () => {
    assert.match((await run({})).stdout, /^skipped: 0 jobs named orders/);
    await flink.runTestJob({ "job-name": "orders", "window": false, "broadcast": false });
    const [first, again] = [await run({ SCHEDULE_MINUTE: "one" }), await run({ SCHEDULE_MINUTE: "one" })];
    assert.match(first.stdout, /savepoint-/);
    assert.equal(again.stdout, first.stdout);
    assert.equal(savepointFolders(folder).length, 1);
    const always = exportSchedule("cronjob", { schedule: schedule({ blackouts: [{ days: "MON-SUN", from: "00:00", to: "00:00" }] }), url, flink: null });
    const environment = (parse(always.text) as { spec: { jobTemplate: { spec: { template: { spec: { containers: { env: { name: string; value: string }[]; args: string[] }[] } } } } } }).spec.jobTemplate.spec.template.spec.containers[0];
    assert.equal(environment?.args[0], savepointScript);
    const blackouts = environment.env.find(({ name }) => name === "SCHEDULE_BLACKOUTS")?.value ?? "";
    assert.match((await run({ SCHEDULE_BLACKOUTS: blackouts })).stdout, /^skipped: blackout/);
    assert.equal(savepointFolders(folder).length, 1);
    await assert.rejects(run({ SCHEDULE_MINUTE: "two", SAVEPOINT_FORMAT: "WRONG" }), /Flink refused: 400[\s\S]*given up after 1 attempts/);
  });
});

/** As the API server's strict validation has it: a field that the definition does not name is an error, unless it says otherwise. */
function withoutUnknown(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutUnknown);
  if (typeof node !== "object" || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withoutUnknown(value)]));
  if ("properties" in copy && copy["x-kubernetes-preserve-unknown-fields"] !== true && !("additionalProperties" in copy)) copy["additionalProperties"] = false;
  if (copy["x-kubernetes-int-or-string"] === true) return { anyOf: [{ type: "integer" }, { type: "string" }] };
  return copy;
}
