import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { until } from "../rig/flink";
import { ByteWriter } from "./metadataWriter";
import { programFile, runProgram, type Ran } from "./program";

const java = (body: string): string => `import org.apache.flink.streaming.api.environment.*;
public class Job { public static void main(String[] args) throws Exception { StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
${body}
env.execute(); } }
`;
/** Processor time that a process used so far: `00:00:01`, or `0:01.23` on a Mac. */
const workedSeconds = (pid: number): number => execFileSync("ps", ["-o", "time=", "-p", String(pid)], { encoding: "utf8" }).trim().split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
const stateful = "env.fromElements(1).keyBy(x -> x).process(new P()).print();";

describe("The program with files that mean harm", () => {
  let scratch = "";
  before(async () => {
    scratch = await fs.mkdtemp(path.join(os.tmpdir(), "hostile-"));
  });
  after(() => fs.rm(scratch, { recursive: true }));
  const run = (...args: readonly string[]): Promise<Ran> => runProgram(args, { limitMs: 60_000, cwd: scratch });
  const file = async (name: string, text: string): Promise<string> => {
    const full = path.join(scratch, name);
    await fs.mkdir(path.dirname(full), { recursive: true });
    await fs.writeFile(full, text);
    return name;
  };

  test("lint refuses pipes and devices instead of waiting for them or reading without end", async () => {
    await promisify(execFile)("mkfifo", [path.join(scratch, "pipe.java")]);
    for (const name of ["pipe.java", "/dev/zero", "/dev/null"]) {
      const { code, err } = await run("lint", name);
      assert.equal(code, 2);
      assert.match(err, /^file-unreadable: \S+ can't be read \(it is not a regular file\)\.\n$/);
    }
  });

  test("lint tells what can't be read as code and sentence, and looks at the rest", async () => {
    await file("mixed/good.java", java(stateful));
    await file("mixed/binary.java", "\0\0");
    await fs.symlink("b.java", path.join(scratch, "mixed/a.java"));
    await fs.symlink("a.java", path.join(scratch, "mixed/b.java"));
    await fs.symlink("..", path.join(scratch, "mixed/up"));
    const { code, out, err } = await run("lint", "mixed");
    assert.equal(code, 2);
    assert.match(out, /^mixed\/good\.java:3:\d+: warning: .*\[missing-uid\]$/m);
    assert.deepEqual(err.trimEnd().split("\n").sort().map((line) => line.replace(/^file-unreadable: /, "")), [
      "mixed/a.java can't be read (its links go in a circle).", "mixed/b.java can't be read (its links go in a circle).", "mixed/binary.java can't be read (it is no text).",
    ]);
    assert.match((await run("lint", "nowhere")).err, /^file-unreadable: nowhere can't be read \(there is no such file\)\.\n$/);
    assert.match((await run("lint", "")).err, /^file-unreadable: .*it names no file/);
  });

  test("texts that double with each line neither fill the memory nor end the lint", async () => {
    const doubled = Array.from({ length: 60 }, (_, i) => `String s${i + 1} = s${i} + s${i};`).join("\n");
    await file("double.java", java(`String s0 = "ab";\n${doubled}\nenv.fromElements(1).keyBy(x -> x).process(new P()).uid(s60).print();`));
    const { code, err } = await run("lint", "double.java");
    assert.deepEqual([code, err], [0, ""]);
  });

  test("names of files and texts in them can't play tricks on a terminal", async () => {
    const name = await file("evil\u001b[2J.java", java(stateful + 'env.fromElements(1).map(x -> x).uid("a\u001b[2J\u0007"); env.fromElements(2).map(x -> x).uid("a\u001b[2J\u0007");'));
    const tricks = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;
    for (const args of [["lint", name], ["lint", "gone\u001b[2J"], ["lint", name, "--format=github"], ["lint", name, "--format=json"], ["inspect", "gone\u001b[2J"], ["bad\u001b[2J"], ["inspect", "--\u001b[2J"], ["cron", "0 0 * * \u001b[2J"]]) {
      const { out, err } = await run(...args);
      assert.ok(out !== "" || err !== "");
      assert.ok(!tricks.test(out + err), args.join(" "));
    }
  });

  test("lint is interrupted at once, also within one large file", async () => {
    await file("large.scala", `import org.apache.flink.streaming.api.scala._\nobject Large {\n${"  val rows = List((1, \"a\", List(2, 3)), (4, \"b\", List(5, 6)))\n".repeat(100_000)}}\n`);
    const child = spawn(process.execPath, [programFile, "lint", "large.scala"], { cwd: scratch, stdio: "ignore" });
    const ended = new Promise((resolve) => void child.once("exit", resolve));
    // Time that it worked, however busy the machine is: in a second of it, it has begun with the file and is not through.
    await until("it to be at work", () => Promise.resolve(workedSeconds(child.pid ?? 0) >= 1));
    assert.equal(child.exitCode, null, "it is still at work");
    const interrupted = performance.now();
    child.kill("SIGINT");
    assert.equal(await ended, 130);
    assert.ok(performance.now() - interrupted < 5_000);
  });

  test("a state file that is no file is told with its reason", async () => {
    const home = path.join(scratch, "savepoint-1");
    await fs.mkdir(path.join(home, "folder"), { recursive: true });
    const out = new ByteWriter().i32(0x4960672d).i32(3).i64(1).i32(0).i32(1).raw(Buffer.alloc(16, 1)).i32(1).i32(128).u8(0).i32(1);
    out.i32(0).i32(0).i32(0).u8(7).i32(0).i32(1).i64(30).u8(6).utf("folder").i64(100).u8(0).i32(0).i32(0);
    await fs.writeFile(path.join(home, "_metadata"), out.finish());
    assert.match((await run("inspect", home, "--states")).out, /file-unreadable: The file folder can't be read \(it is a folder\)\./);
  });

  test("lint says when there is nothing to look at, how a rule is set, and where a file outside of the working folder lies", async () => {
    await fs.mkdir(path.join(scratch, "nothing"));
    assert.deepEqual(await run("lint", "nothing"), { code: 0, out: "", err: "warning: There is nothing to look at in nothing: no code, script, configuration or SQL.\n" });
    assert.match((await run("lint", "nothing", "--rule", "missing-uid")).err, /^usage: --rule missing-uid= takes error, warning, info, hint or off\.\n/);
    const job = await file("inside/Outside.java", java(stateful));
    const { code, out } = await runProgram(["lint", path.join(scratch, job)], { cwd: path.join(scratch, "nothing") });
    assert.equal(code, 1);
    assert.ok(out.startsWith(`${await fs.realpath(scratch)}/inside/Outside.java:`) || out.startsWith(`${scratch}/inside/Outside.java:`), out);
  });

  test("an exit code survives a standard error that nobody reads", async () => {
    const child = spawn(process.execPath, [programFile, "inspect", path.join(scratch, "gone")], { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.destroy();
    assert.equal(await new Promise((resolve) => void child.once("exit", resolve)), 2);
  });

  test("years of leap days are found within a moment", async () => {
    const { code, out } = await run("cron", "0 0 29 2 *", "--from", "2026-01-01T00:00:00Z", "--count", "1000", "--tz", "Europe/Berlin");
    assert.equal(code, 0);
    assert.equal(out.split("\n").filter((line) => /^ {2}\d+-02-29 00:00/.test(line)).length, 1000);
    assert.equal((await run("cron", "0 0 29 2 *", "--count", "")).code, 2);
  });

  test("a warehouse that can't be listed is not readable, and one without tables says so", async () => {
    await fs.mkdir(path.join(scratch, "empty"));
    assert.deepEqual(await run("tags", "empty"), { code: 0, out: "There is no table of Paimon in this folder.\n", err: "" });
    for (const args of [["tags", "gone"], ["rollback", "gone", "gone", "--plan"]]) {
      const { code, err } = await run(...args);
      assert.equal(code, 2);
      assert.match(err, /^file-unreadable: .*gone can't be read \(there is no such file\)/);
    }
    const table = path.join(scratch, "warehouse", "a.db", "t");
    for (const folder of ["schema", "tag"]) await fs.mkdir(path.join(table, folder), { recursive: true });
    for (const [name, text] of [["escapes", '\\"'.repeat(400_000)], ["digits", `${"1".repeat(900_000)}.`], ["deep", "[".repeat(500_000)]] as const) await fs.writeFile(path.join(table, "tag", `tag-${name}`), text);
    const { code, err } = await run("tags", "warehouse");
    assert.equal(code, 1);
    assert.equal(err.match(/is not valid JSON/g)?.length, 3);
  });
});
