import assert from "node:assert/strict";
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import { test } from "node:test";
import { createApp } from "../../src/app";

test("joining the services touches no file, network or process, and neither does naming clusters", (context) => {
  const touched: string[] = [];
  const watch = (object: object, label: string): void => {
    for (const [name, real] of Object.entries(object) as [never, unknown][]) {
      if (typeof real !== "function" || /^[A-Z_]/.test(name)) continue;
      context.mock.method(object, name, function (this: unknown, ...args: unknown[]): unknown {
        touched.push(`${label}.${String(name)}(${String(args[0])})`);
        return real.apply(this, args);
      });
    }
  };
  watch(fs, "fs");
  watch(fs.promises, "fs.promises");
  watch(childProcess, "child_process");
  watch(net.Socket.prototype, "net.Socket");
  syncBuiltinESMExports();
  context.after(() => {
    context.mock.restoreAll();
    syncBuiltinESMExports();
  });

  const nobody = { get: () => Promise.resolve(undefined), set: () => Promise.resolve(), delete: () => Promise.resolve() };
  const silent = (): void => undefined;
  const app = createApp({
    ledgerFolder: "/nowhere/ledger", credentials: { ...nobody, get: () => Promise.resolve([]) }, vault: nobody, requestTimeoutMs: () => 1_000,
    log: { trace: silent, debug: silent, info: silent, warn: silent, error: silent }, workspaceCommit: () => Promise.resolve(null), inspectionThread: "/nowhere/inspection.js", comparisonThread: "/nowhere/comparison.js",
  });
  app.clusters.setProfiles([{ name: "a", url: "http://localhost:1" }]);
  app.dispose();
  assert.equal(touched.join("\n"), "");

  assert.ok(fs.existsSync("/") && touched.includes("fs.existsSync(/)"), "calls are seen at all");
});
