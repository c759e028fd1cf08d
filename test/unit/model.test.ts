import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { normaliseClusterUrl } from "../../src/core/model/cluster";
import { allTasksRun, isTerminal, type JobDetails } from "../../src/core/model/job";
import { atLeast, capabilitiesOf, parseFlinkVersion } from "../../src/core/model/version";
import { flinkVersion } from "./samples";

describe("a version", () => {
  test("is read from every vendor's text", () => {
    const read: [string, number, number][] = [
      ["1.15.4", 1, 15], ["1.20.1", 1, 20], ["2.0-SNAPSHOT", 2, 0], ["1.18.1-stream1", 1, 18], ["1.17.1-amzn-1", 1, 17], ["1.19-vvr-11.1.2", 1, 19], ["2.10.0", 2, 10], ["2.1", 2, 1],
    ];
    for (const [text, major, minor] of read) assert.deepEqual(parseFlinkVersion(text), { major, minor, text });
    for (const text of ["", "<unknown>", "vvr-1.2", "2", ".1", "v1.2"]) assert.equal(parseFlinkVersion(text), undefined, text);
  });

  test("1.9 is older than 1.15, and 2.0 newer than 1.20", () => {
    assert.equal(atLeast(flinkVersion("1.9.0"), 1, 15), false);
    assert.ok(atLeast(flinkVersion("2.0.0"), 1, 20));
    assert.ok(atLeast(flinkVersion("1.15.0"), 1, 15));
  });
});

test("rule 8: the capability table says what each minor release can do", () => {
  const table = (of: (capabilities: ReturnType<typeof capabilitiesOf>) => unknown): unknown[] =>
    ["1.14", "1.15", "1.16", "1.17", "1.18", "1.19", "1.20", "2.0", "2.1", "2.2", "2.3"].map((text) => of(capabilitiesOf(flinkVersion(text))));
  const from = (count: number): boolean[] => Array.from({ length: 11 }, (_, at) => at >= count);
  assert.deepEqual(table((can) => can.savepointFormats), from(1));
  assert.deepEqual(table((can) => can.claimModeField), ["none", "restoreMode", "restoreMode", "restoreMode", "restoreMode", "restoreMode", "claimMode", "claimMode", "claimMode", "claimMode", "claimMode"]);
  assert.deepEqual(table((can) => can.legacyClaimMode), [false, true, true, true, true, true, true, false, false, false, false]);
  assert.deepEqual(table((can) => can.jobStatusEndpoint), from(2));
  assert.deepEqual(table((can) => can.cliDetached), from(5));
  assert.deepEqual(table((can) => can.cliTakesAddress), from(5));
  assert.deepEqual(table((can) => can.standardYaml), from(5));
  assert.deepEqual(table((can) => can.newConfigurationKeys), from(6));
});

test("a job is over once it is finished, failed or cancelled; suspended it may run elsewhere", () => {
  const states = ["INITIALIZING", "CREATED", "RUNNING", "FAILING", "FAILED", "CANCELLING", "CANCELED", "FINISHED", "RESTARTING", "SUSPENDED", "RECONCILING"] as const;
  assert.deepEqual(states.filter(isTerminal), ["FAILED", "CANCELED", "FINISHED"]);
});

test("all tasks run only when there are tasks, and the job runs", () => {
  const job = (state: JobDetails["state"], ...ready: boolean[]): JobDetails => ({
    jobId: "a", name: "a", state, startTimeMs: 0, nowMs: 0, maxParallelism: -1, vertices: ready.map((one, at) => ({ id: String(at), name: "", parallelism: 1, ready: one })),
  });
  assert.ok(allTasksRun(job("RUNNING", true, true)));
  for (const no of [job("RUNNING", true, false), job("RUNNING"), job("INITIALIZING"), job("RESTARTING", true)]) assert.equal(allTasksRun(no), false);
});

test("a cluster's address has one spelling, and no credentials", () => {
  const cases: [string, string | undefined][] = [
    ["http://Flink:8081/", "http://flink:8081"], [" https://flink.example.com:443/gw/ ", "https://flink.example.com/gw"], ["http://[::1]:8081//", "http://[::1]:8081"],
    ["http://localhost:8081/#/job/running", "http://localhost:8081"], ["http://a/b?x=1", "http://a/b"],
    ["http://user@a", undefined], ["http://:secret@a", undefined], ["localhost:8081", undefined], ["ftp://a", undefined], ["", undefined], ["http://", undefined],
  ];
  for (const [text, url] of cases) assert.equal(normaliseClusterUrl(text), url, text);
});
