import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type FlinkError, isFlinkError } from "../../src/core/errors";
import { JumpingClock, makeWorld, openWindow, SharedStorage, type Window, type World } from "./fakes";
import { savepointRecord } from "./ledgerSamples";
import { clusterInfo, jobId } from "./samples";
import { SimulatedFlink } from "./simulatedFlink";

let clock: JumpingClock;
let flink: SimulatedFlink;
let world: World;
let window: Window;
let changes: (string | null)[];
const never = new AbortController().signal;
const prod = { name: "prod", url: "http://prod:8081" };

beforeEach(() => {
  clock = new JumpingClock();
  const storage = new SharedStorage();
  flink = new SimulatedFlink(clock, storage, prod.url, prod.name);
  flink.addJob(jobId);
  world = makeWorld(clock, storage, flink, new SimulatedFlink(clock, storage, "http://other", "other"));
  window = openWindow(world);
  window.clusters.setProfiles([prod]);
  changes = [];
  window.clusters.onDidChange(({ cluster }) => changes.push(cluster));
});

afterEach(() => {
  window.dispose();
  clock.stop();
});

const reach = (): string => window.clusters.get(prod.url)?.reach.state ?? "none";

describe("a cluster", () => {
  test("is not asked before somebody wants to know", () => {
    assert.deepEqual([reach(), flink.calls], ["unasked", []]);
  });

  test("is connected to once, then asked for its jobs, and tells one change for what is new", async () => {
    await window.clusters.refresh(prod.url, never);
    assert.deepEqual([reach(), window.clusters.get(prod.url)?.jobs.map(({ jobId }) => jobId)], ["online", [jobId]]);
    assert.deepEqual(changes, [prod.url]);
    await window.clusters.refresh(prod.url, never);
    await window.clusters.refresh(prod.url, never);
    assert.deepEqual(flink.calls.map(({ name }) => name), ["connect", "jobs", "jobs", "jobs"]);
    assert.deepEqual(changes, [prod.url], "nothing changed");
    flink.jobs.get(jobId)!.state = "RESTARTING";
    await window.clusters.refresh(prod.url, never);
    assert.deepEqual(changes, [prod.url, prod.url]);
  });

  test("asked by two at once answers once", async () => {
    await Promise.all([window.clusters.refresh(prod.url, never), window.clusters.refresh(prod.url, never)]);
    assert.deepEqual(flink.calls.map(({ name }) => name), ["connect", "jobs"]);
  });

  test("asked by two of whom the first gives up still answers the second", async () => {
    const impatient = new AbortController();
    flink.fault = (call) => (call.name === "connect" && !impatient.signal.aborted ? { takesMs: 5_000 } : undefined);
    const first = window.clusters.refresh(prod.url, impatient.signal);
    const second = window.clusters.refresh(prod.url, never);
    await clock.sleep(1_000);
    impatient.abort();
    await Promise.all([first, second]);
    assert.equal(reach(), "online");
  });

  test("that is asked again by hand, which is given up, is not connecting for ever", async () => {
    await window.clusters.refresh(prod.url, never);
    const impatient = new AbortController();
    flink.fault = () => ({ takesMs: 5_000 });
    const again = window.clusters.reconnect(prod.url, impatient.signal);
    assert.equal(reach(), "connecting");
    await clock.sleep(100);
    impatient.abort();
    await again;
    assert.equal(reach(), "unasked");
  });

  test("that does not answer says why and when it is asked again, later each time, keeps its jobs, and is logged once", async () => {
    await window.clusters.refresh(prod.url, never);
    flink.down = true;
    const waits: number[] = [];
    for (let at = 0; at < 8; at++) {
      await window.clusters.refresh(prod.url, never);
      const now = window.clusters.get(prod.url)?.reach;
      assert.ok(now?.state === "offline" && now.nextTryAtMs !== null && isFlinkError(now.error, "cluster-unreachable"));
      waits.push(now.nextTryAtMs - clock.now());
    }
    assert.ok((waits[0] ?? 0) < 6_000 && (waits[7] ?? 0) > 40_000 && (waits[7] ?? 0) < 67_000, waits.join(" "));
    assert.equal(window.clusters.get(prod.url)?.jobs.length, 1);
    assert.equal(window.log.lines.filter((line) => line.startsWith("warn")).length, 1);
  });

  test("that comes back is told, with the version it has now", async () => {
    const online: string[] = [];
    window.clusters.onDidComeOnline((url) => online.push(url));
    await window.clusters.refresh(prod.url, never);
    flink.down = true;
    await window.clusters.refresh(prod.url, never);
    flink.down = false;
    flink.info = clusterInfo("2.2.1");
    await window.clusters.refresh(prod.url, never);
    assert.deepEqual(online, [prod.url, prod.url]);
    const now = window.clusters.get(prod.url)?.reach;
    assert.equal(now?.state === "online" && now.info.version.text, "2.2.1");
  });

  test("is asked what it is only when that is not known, and an error of the connection is thrown", async () => {
    assert.equal((await window.clusters.info(prod.url, never)).version.text, "1.20.1");
    await window.clusters.info(prod.url, never);
    assert.equal(flink.calls.length, 1);
    flink.down = true;
    await window.clusters.reconnect(prod.url, never);
    await assert.rejects(window.clusters.info(prod.url, never), (error) => isFlinkError(error, "cluster-unreachable"));
    await assert.rejects(window.clusters.info("http://unknown", never), (error) => isFlinkError(error, "cluster-unknown"));
    assert.throws(() => window.clusters.client("http://unknown"), (error) => isFlinkError(error, "cluster-unknown"));
  });

  test("that is tried before it is saved is not kept", async () => {
    assert.equal((await window.clusters.test({ name: "x", url: "http://other" }, never)).kind, "session");
    assert.equal(window.clusters.get("http://other"), undefined);
  });

  test("whose view throws is not offline for that", async () => {
    window.clusters.onDidChange(() => {
      throw new Error("view");
    });
    await window.clusters.refresh(prod.url, never);
    assert.equal(reach(), "online");
    assert.ok(window.log.lines.some((line) => line.startsWith("error") && line.includes("view")));
  });

  test("that was taken away while it answered does not come back", async () => {
    flink.fault = () => ({ takesMs: 1_000 });
    const refreshing = window.clusters.refresh(prod.url, never);
    const info = window.clusters.info(prod.url, never);
    await clock.sleep(100);
    window.clusters.setProfiles([]);
    changes.splice(0);
    await Promise.all([refreshing, info]);
    assert.deepEqual([window.clusters.list(), changes], [[], []]);
  });
});

describe("the clusters of the settings", () => {
  test("keep what is known of those that stay, and start anew with another authority file", async () => {
    await window.clusters.refresh(prod.url, never);
    window.clusters.setProfiles([{ name: "other", url: "http://other" }, { ...prod, name: "renamed" }]);
    assert.deepEqual(window.clusters.list().map(({ profile, reach }) => [profile.name, reach.state]), [["other", "unasked"], ["renamed", "online"]]);
    window.clusters.setProfiles([{ ...prod, caFile: "/ca.pem" }]);
    assert.equal(reach(), "unasked");
  });

  test("may change while a cluster answers, which is not lost", async () => {
    flink.fault = () => ({ takesMs: 1_000 });
    const refreshing = window.clusters.refresh(prod.url, never);
    await clock.sleep(100);
    window.clusters.setProfiles([{ ...prod, name: "renamed" }, { name: "other", url: "http://other" }]);
    await refreshing;
    assert.equal(reach(), "online");
  });

  test("tell a change only when there is one", () => {
    window.clusters.setProfiles([{ ...prod }]);
    window.clusters.setLocal(null);
    assert.deepEqual(changes, []);
    window.clusters.setProfiles([{ ...prod, name: "renamed" }]);
    assert.deepEqual(changes, [null]);
  });

  test("are followed by the local Flink, which may be one of them", () => {
    const local = { name: "Local Flink", url: "http://other", local: true };
    window.clusters.setLocal(local);
    assert.deepEqual(window.clusters.list().map(({ profile }) => profile), [prod, local]);
    window.clusters.setProfiles([{ name: "mine", url: "http://other" }, prod]);
    assert.deepEqual(window.clusters.list().map(({ profile }) => [profile.name, profile.local ?? false]), [["mine", true], ["prod", false]]);
    window.clusters.setLocal(null);
    assert.deepEqual(window.clusters.list().map(({ profile }) => [profile.name, profile.local ?? false]), [["mine", false], ["prod", false]]);
  });

  test("are followed by removed ones that have savepoints in the ledger", async () => {
    world.disk.put(savepointRecord("a", { cluster: { name: "old", url: "http://old" } }));
    world.disk.put(savepointRecord("b", { cluster: { name: "hidden", url: "http://hidden" }, forgotten: true }));
    world.disk.put(savepointRecord("c", { cluster: prod }));
    await window.clusters.remember();
    await window.clusters.remember();
    assert.deepEqual(window.clusters.list().map(({ profile, removed }) => [profile.name, removed]), [["prod", false], ["old", true]]);
    assert.deepEqual(changes, [null]);
    await window.clusters.refresh("http://old", never);
    assert.equal(window.clusters.get("http://old")?.reach.state, "unasked");
  });
});

test("an error that is none of ours is shown as what could not be reached", async () => {
  flink.fault = () => ({ before: new TypeError("bug") as unknown as FlinkError });
  await window.clusters.refresh(prod.url, never);
  const now = window.clusters.get(prod.url)?.reach;
  assert.ok(now?.state === "offline" && isFlinkError(now.error, "cluster-unreachable"));
});
