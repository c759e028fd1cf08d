import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { draftName, parseDraftName } from "../../src/clients/ledgerNames";
import { isAlive, thisProcess } from "../../src/clients/processIdentity";
import type { ProcessIdentity } from "../../src/core/ports";

const self = thisProcess();
const [machine, boot, namespace, startTime] = self.instance.split("-");
const instanceOf = (changes: { machine?: string; boot?: string; namespace?: string; startTime?: string }): string =>
  [changes.machine ?? machine, changes.boot ?? boot, changes.namespace ?? namespace, changes.startTime ?? startTime, "12345678"].join("-");

/** Another process, named as it would name itself. */
async function another(): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  const child = spawn(process.execPath, ["-e", "process.stdout.write('up'); setTimeout(() => undefined, 60000)"], { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  const pid = child.pid ?? 0;
  const started = process.platform === "linux" ? (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19] ?? "0") : "0";
  return { child, identity: { host: self.host, pid, instance: instanceOf({ startTime: started }) } };
}

describe("a process named in a record", () => {
  test("is recognised as this one", () => {
    assert.equal(isAlive(self, self), "self");
    assert.equal(thisProcess(), self);
    assert.equal(isAlive({ ...self }, self), "self");
  });

  test("is alive while it runs, and dead once it was killed", async () => {
    const { child, identity } = await another();
    assert.equal(isAlive(identity, self), "alive");
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal(isAlive(identity, self), "dead");
  });

  test("is dead when another process has its pid now, where the system tells start times", async () => {
    const { child, identity } = await another();
    assert.equal(isAlive({ ...identity, instance: instanceOf({ startTime: "1" }) }, self), process.platform === "linux" ? "dead" : "alive");
    child.kill("SIGKILL");
    await once(child, "exit");
  });

  test("is dead when it had our own pid", () => {
    assert.equal(isAlive({ ...self, instance: instanceOf({}) }, self), "dead");
  });

  test("is dead when the machine was started anew since", () => {
    const later: ProcessIdentity = { ...self, pid: self.pid + 1, instance: instanceOf({ boot: "eeeeeeee" }) };
    assert.equal(isAlive({ ...self, instance: instanceOf({ boot: "ffffffff" }) }, later), "dead");
  });

  test("cannot be looked at on another host, another machine of the same name, in another container, or when its name is no name", () => {
    assert.equal(isAlive({ ...self, host: "elsewhere" }, self), "other-host");
    assert.equal(isAlive({ ...self, instance: instanceOf({ machine: "ffffffff" }) }, self), "other-host");
    assert.equal(isAlive({ ...self, instance: instanceOf({ namespace: "1" }) }, self), "other-host");
    assert.equal(isAlive({ ...self, instance: "" }, self), "other-host");
    assert.equal(isAlive({ ...self, pid: -1, instance: instanceOf({}) }, self), "other-host");
  });

  test("is found again in the name of its draft", () => {
    assert.deepEqual(parseDraftName(draftName("found-ab-7", self), self), { id: "found-ab-7", writer: "alive" });
    assert.deepEqual(parseDraftName(draftName("aa", { ...self, instance: instanceOf({}) }), self), { id: "aa", writer: "dead" });
    assert.deepEqual(parseDraftName(draftName("aa", { ...self, host: "elsewhere" }), self), { id: "aa", writer: "unknown" });
    assert.equal(parseDraftName("aa.000001.json", self), undefined);
  });
});
