import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { actionCommand } from "../../src/clients/paimon/actionCommand";
import { findJava } from "../../src/clients/localFlink/java";
import { argumentFile } from "../../src/core/localFlink/java";
import { isFlinkError } from "../../src/core/errors";
import { paimonJars } from "../rig/flink";
import { paimonFlinks } from "../rig/paimon";
import { logInto, patience } from "./support/testApp";

const secret = "wJalrX/utn FEMI\"K7'MD\\ENG";
const untar = promisify(execFile);
let folder: string;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "secrets-"));
  await untar("tar", ["-xzf", "test/fixtures/paimon/rolled-back.tar.gz", "-C", folder]);
});
after(() => rm(folder, { recursive: true, force: true }));

test("rule 10: while Paimon's JVM acts, neither its arguments nor what it tells of itself hold the secrets of the warehouse, also where Java would start itself anew", async () => {
  const java = (await findJava("", process.env, patience().signal)).executable;
  const lines: string[] = [];
  const seen = new Set<string>();
  const warehouse = { path: path.join(folder, "warehouse"), catalogOptions: { "s3.secret-key": secret } };
  const libraries = path.join((await promisify(execFile)(java, ["-XshowSettings:properties", "-version"])).stderr.match(/java\.home = (.*)/)?.[1] ?? "", "lib", "server");
  assert.ok(existsSync(path.join(libraries, "libjvm.so")));
  const env = { ...process.env, LD_LIBRARY_PATH: `/nowhere:${libraries}`, LANG: "", LC_ALL: "", LC_CTYPE: "" };
  const acts = actionCommand({ warehouse: () => Promise.resolve(warehouse), env, java: () => Promise.resolve(java), jars: () => paimonJars(paimonFlinks[0]), log: logInto((line) => lines.push(line)) });
  let pid = 0;
  const watch = setInterval(() => {
    if (pid === 0 || !existsSync(`/proc/${pid}/cmdline`)) return;
    seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
    for (const told of readdirSync(tmpdir()).filter((name) => name.startsWith("hsperfdata_"))) assert.ok(!existsSync(path.join(tmpdir(), told, String(pid))));
  }, 5);
  try {
    await acts.act({ database: "d", table: "app" }, { kind: "create-tag", tag: "vör-日本", snapshotId: 3, retainedMs: null }, patience(), (process) => Promise.resolve(void (pid = process.pid)));
  } finally {
    clearInterval(watch);
  }
  assert.ok(existsSync(path.join(folder, "warehouse", "d.db", "app", "tag", "tag-vör-日本")));
  const java17 = [...seen].filter((one) => one.startsWith(java));
  assert.ok(java17.length > 0 && java17.every((one) => one.endsWith("@/dev/stdin\0") && one.includes("-Dpaimon.action=create-tag d.app\0")), JSON.stringify([...seen]));
  assert.doesNotMatch([...seen, ...lines].join("\n"), /wJalrX/);
  // Paimon's own words repeat the options.
  const elsewhere = actionCommand({ warehouse: () => Promise.resolve({ path: warehouse.path, catalogOptions: { metastore: "jdbc", uri: "jdbc:none://db/paimon?user=u&password=wJalrX" } }), env, java: () => Promise.resolve(java), jars: () => paimonJars(paimonFlinks[0]), log: logInto((line) => lines.push(line)) });
  await assert.rejects(elsewhere.act({ database: "d", table: "app" }, { kind: "delete-tag", tag: "a" }, patience()), (error) => isFlinkError(error, "paimon-action-failed") && error.facts.message.includes("jdbc:none://db/paimon?user=u&password=******"));
  assert.doesNotMatch(lines.join("\n"), /wJalrX/);
});

test("Java reads every argument back as it was, whatever is in it", async () => {
  const odd = ["", " ", "a b", "\"", "'", "\\", "\\n", "a\nb\r\tc\f", "# no comment", "@file", "*", "ü 日本 😀", "$HOME `id`", "end\\", "x".repeat(10_000)];
  await writeFile(path.join(folder, "Echo.java"), "public class Echo { public static void main(String[] all) { for (String one : all) { StringBuilder hex = new StringBuilder(\"-\"); for (char c : one.toCharArray()) hex.append(String.format(\"%04x\", (int) c)); System.out.println(hex); } } }");
  await writeFile(path.join(folder, "arguments"), argumentFile([path.join(folder, "Echo.java"), ...odd]));
  const { stdout } = await promisify(execFile)((await findJava("", process.env, patience().signal)).executable, [`@${path.join(folder, "arguments")}`], { env: { ...process.env, LC_ALL: "C.UTF-8" } });
  assert.deepEqual(stdout.trimEnd().split("\n").map((line) => (line.slice(1).match(/.{4}/g) ?? []).map((code) => String.fromCharCode(parseInt(code, 16))).join("")), odd);
});
