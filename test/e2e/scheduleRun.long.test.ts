import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { rootFolder, startFlink } from "../rig/flink";
import { savepointFolders, scratchFolder } from "./support/disk";
import { Eyes, until } from "./support/eyes";

test("flink-savepoints schedule run takes the savepoint of the next minute on a real Flink, and a second process beside it does not take it again", async (context) => {
  const flink = await startFlink("2.3.0");
  context.after(() => flink.stop());
  const folder = scratchFolder("schedule-run");
  await new Eyes(flink).run({ name: "orders", args: ["--window", "false", "--broadcast", "false"] });
  const file = path.join(folder, "flink-savepoints.json");
  writeFileSync(file, JSON.stringify({ schedules: [{ name: "often", cluster: flink.url, job: "orders", cron: "* * * * *", directory: path.join(folder, "savepoints") }] }));
  const program = path.join(await rootFolder(), "dist", "flink-savepoints.mjs");
  // The second has a folder of its own, as on another machine: only the savepoint's id is common.
  const processes = ["one", "two"].map((state) => spawn(process.execPath, [program, "schedule", "run", file, "--state", path.join(folder, state)], { stdio: ["ignore", "pipe", "inherit"] }));
  let text = "";
  for (const child of processes) child.stdout?.on("data", (data: Buffer) => (text += data.toString()));
  try {
    await until("both to have taken it", () => Promise.resolve(text.match(/: taken, [0-9a-f]{32}/g)?.length === 2), 90_000, 500);
    assert.equal(savepointFolders(path.join(folder, "savepoints")).length, 1, text);
    assert.equal(new Set(text.match(/taken, [0-9a-f]{32}/g)).size, 1, text);
  } finally {
    for (const child of processes) child.kill("SIGKILL");
  }
});
