import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { Terminal } from "../../src/cli/command";
import { main } from "../../src/cli/main";
import type { InspectReport } from "../../src/core/inspector/report";
import { inspectSchema } from "../../src/core/inspector/reportSchema";
import { operatorIdOf } from "../../src/core/metadata/operatorId";
import { ownSnapshotFolders } from "./metadataFiles";
import { largeMetadata } from "./metadataSamples";
import { ByteWriter, writeMetadata } from "./metadataWriter";
import { runProgram, type Ran } from "./program";

const folders = ownSnapshotFolders();
const folderOf = (name: string): string => folders.find((one) => one.name === name)?.folder ?? assert.fail(name);
let scratch = "";

before(async () => {
  scratch = await fs.mkdtemp(path.join(tmpdir(), "flink-savepoints-"));
});
after(() => fs.rm(scratch, { recursive: true }));

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const place = path.join(scratch, name);
  await fs.writeFile(place, bytes);
  return place;
}

/** Runs a command within this process, where many are run. */
async function run(...args: string[]): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal: Terminal = {
    out: (text) => void out.push(`${text}\n`),
    write: (text) => Promise.resolve(void out.push(text)),
    err: (text) => void err.push(`${text}\n`),
    signal: new AbortController().signal,
    workingFolder: scratch,
  };
  return { code: await main(args, terminal), out: out.join(""), err: err.join("") };
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);
const json = (ran: Ran): InspectReport => inspectSchema.parse(JSON.parse(ran.out));

describe("inspect, as a process", () => {
  test("tells what Flink's own reader finds, of a folder and of its _metadata, with exit code 0", async () => {
    const folder = folderOf("2.3.0/canonical");
    const facts = JSON.parse(await fs.readFile(path.join(folder, "flink.json"), "utf8")) as { checkpointId: string; operators: { id: string; name: string; uid: string; parallelism: number; maxParallelism: number; size: string; subtasks: unknown[] }[] };
    const [ofFolder, ofFile] = await Promise.all([runProgram(["inspect", folder, "--json"]), runProgram(["inspect", "--json", "_metadata"], { cwd: folder })]);
    assert.deepEqual(ofFolder, ofFile);
    assert.equal(ofFolder.code, 0);
    assert.equal(ofFolder.err, "");
    const report = json(ofFolder);
    assert.equal(report.checkpointId, facts.checkpointId);
    assert.deepEqual(
      report.operators.map(({ id, name, uid, parallelism, maxParallelism, sizeBytes, subtasks }) => ({ id, name, uid, parallelism, maxParallelism, sizeBytes, subtasks })).sort(byId),
      facts.operators.map(({ id, name, uid, parallelism, maxParallelism, size, subtasks }) => ({ id, name, uid, parallelism, maxParallelism, sizeBytes: size, subtasks: subtasks.length })).sort(byId),
    );
    assert.equal(report.totalSizeBytes, String(facts.operators.reduce((sum, { size }) => sum + BigInt(size), 0n)));
    assert.deepEqual([report.version, report.kind, report.problems, report.selfContained.verdict], [6, "canonical savepoint", [], "relocatable"]);
  });

  test("shows people the head, an aligned table with the largest first, and the states", async () => {
    const { code, out, err } = await runProgram(["inspect", folderOf("2.3.0/canonical"), "--states"]);
    assert.deepEqual([code, err], [0, ""]);
    const lines = out.split("\n");
    assert.match(lines[0] ?? "", /^#\d+ · canonical savepoint · format 6 \(written by Flink 2\.1 to 2\.3, read from 2\.1 on\)$/);
    assert.match(out, /^Self-contained: the folder can be moved/m);
    const head = lines.findIndex((line) => line.startsWith("OPERATOR"));
    const at = lines[head]?.indexOf("ID ") ?? 0;
    const ids = lines.slice(head + 1, lines.indexOf("", head)).map((line) => line.slice(at, at + 32));
    assert.ok(ids.length >= 4 && ids.every((id) => /^[0-9a-f]{32}$/.test(id)), out);
    assert.match(out, /^ {2}recent +list +\S/m);
  });

  test("ends with 1 and shows the head of a file that broke off, the error on standard error with its place", async () => {
    const bytes = await fs.readFile(path.join(folderOf("1.20.5/canonical"), "_metadata"));
    const cut = await file("cut", bytes.subarray(0, bytes.length - 300));
    const { code, out, err } = await runProgram(["inspect", cut]);
    assert.equal(code, 1);
    assert.match(out, /broke off/);
    assert.match(out, /^1 problem\n {2}error at byte [\d,]+ in \S+\n {4}truncated: /m);
    assert.match(err, /^truncated: The file ends here.*\(\S+, byte \d+, \S+\)\n$/);
    const other = await runProgram(["inspect", cut, "--json"]);
    assert.equal(other.code, 1);
    const report = json(other);
    assert.deepEqual([report.whole, report.problems[0]?.code, report.selfContained.verdict], [false, "truncated", "unknown"]);
  });

  test("a pipe, a device, a folder without metadata, and a file that is not there or may not be read end with 2 at once", async () => {
    const pipe = path.join(scratch, "pipe");
    execFileSync("mkfifo", [pipe]);
    const secret = await file("secret", largeMetadata("inline", 1000));
    await fs.chmod(secret, 0);
    const cases: [string, RegExp][] = [
      [pipe, /it is not a regular file/],
      ["/dev/zero", /it is not a regular file/],
      [scratch, /there is no _metadata in this folder/],
      [path.join(scratch, "none"), /there is no such file/],
      ["s3://bucket/savepoint-1", /can't be reached from here/],
      ...(process.getuid?.() === 0 ? [] : [[secret, /permission denied/] as [string, RegExp]]),
    ];
    for (const ran of await Promise.all(cases.map(async ([place, reason]) => ({ place, reason, ...(await runProgram(["inspect", place])) })))) {
      assert.deepEqual([ran.code, ran.out], [2, ""], ran.place);
      assert.match(ran.err, /^file-unreadable: /);
      assert.match(ran.err, ran.reason);
      assert.equal(ran.err.trimEnd().split("\n").length, 1, ran.err);
    }
  });

  test("a reader that goes away, such as head, is no error", () => {
    const out = execFileSync("sh", ["-c", `"${process.execPath}" dist/flink-savepoints.mjs inspect "${folderOf("2.3.0/canonical")}" --json --states | head -c 20`], { encoding: "utf8" });
    assert.equal(out.length, 20);
  });

  test("uid-hash prints ids, also of uids that look like options", async () => {
    const { code, out } = await runProgram(["uid-hash", "a", "--", "--json", "-h"]);
    assert.equal(code, 0);
    assert.equal(out, `897859f6655555855a890e51483ab5e6  a\n${operatorIdOf("--json")}  --json\n${operatorIdOf("-h")}  -h\n`);
  });

  test("refuses an empty uid instead of hashing an unset variable", async () => {
    const { code, out, err } = await runProgram(["uid-hash", "orders", ""]);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /A uid is empty\. Flink 2 refuses that/);
  });
});

describe("inspect", () => {
  test("every snapshot of ours follows the schema, with states, and is read whole", async () => {
    for (const { name, folder } of folders) {
      const ran = await run("inspect", folder, "--json", "--states");
      assert.deepEqual([ran.code, ran.err], [0, ""], name);
      const report = json(ran);
      assert.ok(report.whole && report.statesReadBytes !== undefined && report.statesReadBytes > 0, name);
      assert.ok(report.operators.some(({ states }) => states?.some((state) => state.name === "recent" && state.kind === "LIST")), name);
      for (const { stateFiles = [] } of report.operators) for (const { problems } of stateFiles) assert.deepEqual(problems, []);
      assert.equal(report.operators.reduce((sum, { sizeBytes }) => sum + BigInt(sizeBytes), 0n), BigInt(report.totalSizeBytes));
    }
  });

  test("every version and layout is read and written, and numbers beyond 2^53 are not rounded", async () => {
    for (const [version, layout] of [[1], [2], [3], [3, "1.11"], [3, "1.14"], [4], [5], [6], [7]] as const) {
      const place = await file(`v${version}`, writeMetadata({ version, seed: 5, ...(layout === undefined ? {} : { layout }) }).bytes);
      const ran = await run("inspect", place, "--json");
      assert.deepEqual([ran.code, ran.err], [0, ""]);
      assert.equal(json(ran).version, version);
      assert.equal((await run("inspect", place)).code, 0);
      assert.equal((await run("inspect", place, "--states")).code, 1, "The state files are not there.");
    }
    const out = new ByteWriter().i32(0x4960672d).i32(3).i64(9_007_199_254_740_993n).i32(0).i32(1).raw(Buffer.alloc(16)).i32(1).i32(128).u8(0).i32(1);
    out.i32(0).i32(0).i32(0).u8(3).i32(0).i32(0).u8(2).i64(9_007_199_254_740_997n).utf("s3://a/b").u8(0).i32(0).i32(0);
    const report = json(await run("inspect", await file("big", out.finish()), "--json"));
    assert.deepEqual([report.checkpointId, report.totalSizeBytes, report.operators[0]?.sizes.managedKeyedBytes], ["9007199254740993", "9007199254740997", "9007199254740997"]);
  });

  test("what is no metadata ends with 2 and one line that says what it is", async () => {
    const cases: [Uint8Array, RegExp][] = [
      [new Uint8Array(0), /^not-metadata: .*the file is empty/],
      [Buffer.from("PK\u0003\u0004abcdefgh"), /^not-metadata: .*ZIP/],
      [new ByteWriter().i32(0x4960672d).i32(0).i64(1).finish(), /^version-unknown: .*Flink 1\.1/],
      [new ByteWriter().i32(0x4960672d).i32(8).i64(1).finish(), /^version-unknown: .*newer Flink/],
      [new ByteWriter().i32(0x4960672d).i32(6).i32(1).finish(), /^truncated: /],
    ];
    for (const [bytes, line] of cases) {
      for (const flags of [[], ["--json"]]) {
        const { code, out, err } = await run("inspect", await file("bad", bytes), ...flags);
        assert.deepEqual([code, out], [2, ""]);
        assert.match(err, line);
        assert.equal(err.trimEnd().split("\n").length, 1);
      }
    }
  });

  test("--limit-bytes ends the reading with its name, and shows what was read", async () => {
    const place = await file("large", largeMetadata("handles", 900_000));
    const { code, out, err } = await run("inspect", place, "--limit-bytes", "500000", "--json");
    assert.equal(code, 1);
    assert.match(err, /^limit: Reading stopped at a limit: readBytes = 500,000\. \(\S+, byte \d+\)\n$/);
    const report = inspectSchema.parse(JSON.parse(out));
    assert.equal(report.whole, false);
    assert.ok(report.operators.length >= 2);
    const { size } = await fs.stat(place);
    assert.equal((await run("inspect", place, `--limit-bytes=${size}`)).code, 0);
    assert.equal((await run("inspect", place, `--limit-bytes=${size - 1}`)).code, 1);
  });

  test("names from a file can't play tricks on a terminal", async () => {
    const out = new ByteWriter().i32(0x4960672d).i32(5).i64(1).i32(0).i32(1).utf("evil\u001b[2J\u202ename\n").utf("u\u0007id").raw(Buffer.alloc(16)).i32(1).i32(128).u8(0).i32(0).raw(Buffer.from("aced000570", "hex"));
    const ran = await run("inspect", await file("evil", out.finish()));
    assert.equal(ran.code, 0);
    assert.match(ran.out, /evil�\[2J�name� \(u�id\)/);
    assert.ok(!/[\u0000-\u0009\u000b-\u001f\u202e]/.test(ran.out));
  });

  test("a state file outside the folder is not opened, and one that is too short is told", async () => {
    const home = path.join(scratch, "savepoint-1");
    await fs.mkdir(home);
    await fs.writeFile(path.join(home, "short"), "abc");
    const out = new ByteWriter().i32(0x4960672d).i32(3).i64(1).i32(0).i32(1).raw(Buffer.alloc(16, 1)).i32(4).i32(128).u8(0).i32(4);
    const handles: ((to: ByteWriter) => void)[] = [(to) => to.u8(2).i64(100).utf("file:/etc/hostname"), (to) => to.u8(6).utf("../outside").i64(100), (to) => to.u8(6).utf("short").i64(100), (to) => to.u8(6).utf("gone").i64(100)];
    handles.forEach((write, i) => {
      out.i32(i).i32(0).i32(0).u8(7).i32(i).i32(1).i64(30);
      write(out);
      out.u8(0).i32(0).i32(0);
    });
    await fs.writeFile(path.join(home, "_metadata"), out.finish());
    const ran = await run("inspect", home, "--json", "--states");
    assert.equal(ran.code, 1);
    const codes = json(ran).operators[0]?.stateFiles?.map(({ problems, readBytes }) => `${problems[0]?.code} ${readBytes}`);
    assert.deepEqual(codes, ["file-elsewhere 0", "path-unsafe 0", "file-too-short 0", "file-missing 0"]);
    const text = await run("inspect", home, "--states");
    assert.match(text.out, /file-elsewhere: The file file:\/etc\/hostname lies outside/);
  });

  test("arguments that make no sense end with 2 and the usage", async () => {
    for (const args of [[], ["a", "b"], ["a", "--jsn"], ["a", "--limit-bytes"], ["a", "--limit-bytes", "x"], ["a", "--limit-bytes", "-1"], ["a", "--limit-bytes=0"]]) {
      const { code, err } = await run("inspect", ...args);
      assert.equal(code, 2);
      assert.match(err, /^usage: [A-Z-].*\.\nflink-savepoints inspect PATH /, args.join(" "));
    }
    assert.match((await run("nothing")).err, /^usage: There is no command nothing/);
    assert.deepEqual((await run("inspect", "--help")).code, 0);
    assert.match((await run("--version")).out, /^flink-savepoints \d+\.\d+\.\d+\n$/);
    assert.match((await run("--help")).out, /inspect PATH .*\n[^]*diff A B/);
  });
});
