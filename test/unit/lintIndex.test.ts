import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { decodeFacts, FactsEncoder, KeptFacts } from "../../src/clients/lintCache/factsCodec";
import { digestOf } from "../../src/clients/lintCache/digest";
import { WorkspaceFacts } from "../../src/clients/lintCache/workspaceFacts";
import { findFiles, readText } from "../../src/clients/lintFiles";
import { loadSyntax } from "../../src/clients/syntax/treeSitter";
import { startThread } from "../../src/clients/workerThread";
import type { Finding } from "../../src/core/lint/finding";
import { isLintable, LintWorkspace } from "../../src/core/lint/lintWorkspace";
import type { LintApi } from "../../src/core/lint/protocol";
import { LintSession } from "../../src/core/lint/session";
import type { Thread } from "../../src/core/ports";
import { connect } from "../../src/core/rpc";
import { fixtures, workspaceOf } from "./lintFixtures";
import { seeded } from "./seeded";

const scratch = mkdtempSync(path.join(tmpdir(), "flink-savepoints-lint-index-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const syntax = await loadSyntax(path.resolve("dist"));
const languages = ["java", "kotlin", "scala", "python"];
const steps = "src/main/java/a/Steps.java";
/** A file whose findings another one decides: whether the caller gives the uid. */
const project: Readonly<Record<string, string>> = {
  [steps]: "package a;\nimport org.apache.flink.streaming.api.datastream.*;\nclass Steps {\n  static SingleOutputStreamOperator<String> deduplicated(KeyedStream<String, String> keyed) {\n    return keyed.reduce((one, other) -> one);\n  }\n}\n",
  "src/main/java/a/Job.java": "package a;\nimport org.apache.flink.streaming.api.datastream.*;\nclass Job {\n  void run(KeyedStream<String, String> keyed) {\n    Steps.deduplicated(keyed).uid(\"dedupe\").print();\n  }\n}\n",
  "run.sh": "flink cancel -s 0123456789abcdef0123456789abcdef\n",
};

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

/** A folder with the project and the fixtures of all languages. */
function workspace(name: string): string {
  const folder = path.join(scratch, name);
  write(folder, project);
  for (const language of languages) cpSync(path.join(fixtures, language), path.join(folder, language), { recursive: true });
  return folder;
}

interface Window {
  ask<K extends keyof LintApi & string>(method: K, params: Parameters<LintApi[K]>[0]): Promise<ReturnType<LintApi[K]>>;
  index(): Promise<ReturnType<LintApi["index"]>>;
  /** Findings of every file that has any, by path. */
  findings(): Promise<Readonly<Record<string, readonly Finding[]>>>;
}

const threads = new Set<Thread>();
after(() => threads.forEach((thread) => thread.end()));

/** The lint's thread as a window starts it. */
function windowOn(folder: string, cache: string | undefined): Window {
  const thread = startThread(path.resolve("dist", "worker", "lint.js"), { grammars: path.resolve("dist"), cache }, { heapMb: 512 });
  threads.add(thread);
  const client = connect<LintApi>(thread.port);
  return {
    ask: (method, params) => client.call(method, params),
    index: () => client.call("index", { folders: [{ prefix: "0/", folder }] }),
    async findings() {
      const linted = await client.call("findings", { paths: await client.call("paths", {}) });
      return Object.fromEntries(linted.filter((each) => each.findings.length > 0).map((each) => [each.path, each.findings]));
    },
  };
}

/** The same, all read anew and everything of it kept. */
async function expectedOf(folder: string, open: ReadonlyMap<string, string> = new Map()): Promise<Readonly<Record<string, readonly Finding[]>>> {
  const fresh = new LintWorkspace(syntax);
  const { files } = await findFiles(folder, isLintable);
  for (const file of files) {
    const at = `0/${path.relative(folder, file).split(path.sep).join("/")}`;
    fresh.put(at, open.get(at) ?? await readText(file));
  }
  return Object.fromEntries(fresh.paths.map((at) => [at, fresh.findings(at)] as const).filter(([, findings]) => findings.length > 0));
}

describe("what an editor's window keeps of a workspace", () => {
  test("a second window parses no file that is as it was, one that was changed alone, and finds what all read anew finds", async () => {
    const folder = workspace("twice");
    const cache = path.join(scratch, "twice-cache");
    const first = windowOn(folder, cache);
    const { parsed, files, left } = await first.index();
    assert.ok(parsed > 20 && parsed <= files && left === 0, `${parsed} of ${files}`);
    const expected = await expectedOf(folder);
    assert.ok(Object.keys(expected).length > 10);
    assert.deepEqual(await first.findings(), expected);
    const uids = await first.ask("uids", {});

    const second = windowOn(folder, cache);
    assert.equal((await second.index()).parsed, 0);
    assert.deepEqual(await second.findings(), expected);
    assert.deepEqual((await second.ask("uids", {})).toSorted(), uids.toSorted());

    write(folder, { "src/main/java/a/Job.java": (project["src/main/java/a/Job.java"] ?? "").replace(".uid(\"dedupe\")", "") });
    const third = windowOn(folder, cache);
    assert.equal((await third.index()).parsed, 1);
    const found = await third.findings();
    assert.deepEqual(found, await expectedOf(folder));
    assert.deepEqual(found[`0/${steps}`]?.map(({ rule }) => rule), ["missing-uid"]);
    assert.equal((await windowOn(folder, cache).index()).parsed, 0);
  });

  test("a window that stands open takes in what changes on disk and in its documents, and finds what all read anew finds", async () => {
    const folder = workspace("open");
    const window = windowOn(folder, path.join(scratch, "open-cache"));
    await window.index();
    const random = seeded(17);
    const names = [...(await findFiles(folder, isLintable)).files].map((file) => path.relative(folder, file).split(path.sep).join("/"));
    const open = new Map<string, string>();
    for (let round = 0; round < 24; round++) {
      const name = names[Math.floor(random() * names.length)] as string;
      const at = `0/${name}`;
      const text = readFileSync(path.join(folder, name), "utf8");
      const lines = text.split("\n");
      const shorter = lines.filter((_, line) => line !== Math.floor(random() * lines.length)).join("\n");
      if (open.has(at)) {
        open.delete(at);
        await window.ask("close", { path: at });
      } else if (round % 3 === 0) {
        open.set(at, shorter);
        await window.ask("open", { path: at, text });
        await window.ask("edit", { path: at, edits: [{ start: 0, end: text.length, text: shorter }] });
      } else {
        writeFileSync(path.join(folder, name), shorter);
        await window.ask("changed", { paths: [at] });
      }
      if (round % 4 === 3) assert.deepEqual(await window.findings(), await expectedOf(folder, open), `round ${round}: ${name}`);
    }
    for (const at of open.keys()) await window.ask("close", { path: at });
    // What nobody told of is seen by whoever asks about the file itself.
    write(folder, { "run.sh": "echo nothing\n" });
    assert.deepEqual((await window.ask("findings", { paths: ["0/run.sh"] }))[0]?.findings, []);
    rmSync(path.join(folder, steps));
    assert.deepEqual((await window.ask("findings", { paths: [`0/${steps}`] }))[0]?.findings, []);
    assert.ok(!(await window.ask("paths", {})).includes(`0/${steps}`));
  });

  test("windows share what they keep: each finds all, and the next one parses nothing", async () => {
    const folder = workspace("shared");
    const cache = path.join(scratch, "shared-cache");
    const expected = await expectedOf(folder);
    const windows = [1, 2, 3].map(() => windowOn(folder, cache));
    await Promise.all(windows.map((window) => window.index()));
    for (const window of windows) assert.deepEqual(await window.findings(), expected);
    assert.deepEqual(readdirSync(path.join(cache, "lint")).filter((name) => !/^[0-9a-f]{32}\.facts$/.test(name)), []);
    assert.equal(readdirSync(path.join(cache, "lint")).length, 1);
    assert.equal((await windowOn(folder, cache).index()).parsed, 0);
  });

  test("what is damaged, of another folder, or can't be written is not there, and findings are the same", async () => {
    const folder = workspace("damaged");
    const cache = path.join(scratch, "damaged-cache");
    const expected = await expectedOf(folder);
    const { parsed } = await windowOn(folder, cache).index();
    const file = path.join(cache, "lint", readdirSync(path.join(cache, "lint"))[0] ?? "");
    const whole = readFileSync(file);
    const random = seeded(23);
    for (const damage of [() => whole.subarray(0, Math.floor(whole.length * random())), () => whole.with(Math.floor(whole.length * random()), 7), () => Buffer.alloc(0), () => Buffer.from("[]")]) {
      writeFileSync(file, damage());
      const window = windowOn(folder, cache);
      assert.equal((await window.index()).parsed, parsed);
      assert.deepEqual(await window.findings(), expected);
      assert.equal(statSync(file).size, whole.length);
    }
    const elsewhere = path.join(scratch, "elsewhere");
    cpSync(folder, elsewhere, { recursive: true });
    assert.equal((await windowOn(elsewhere, cache).index()).parsed, parsed);
    const without = windowOn(folder, path.join(folder, "run.sh"));
    assert.equal((await without.index()).parsed, parsed);
    assert.deepEqual(await without.findings(), expected);
  });

  test("files beyond the room there is are left out and counted; one that is opened is linted all the same", () => {
    const facts = new WorkspaceFacts(undefined, { allBytes: 1500, madeBytes: 0 });
    const session = new LintSession(syntax, (at, error) => assert.fail(`${at}: ${String(error)}`));
    const job = project["src/main/java/a/Job.java"] ?? "";
    const text = job.replace("Steps.deduplicated(keyed).uid(\"dedupe\")", "keyed.reduce((a, b) -> b)");
    const put = (at: string): void => {
      const { known, keep } = facts.at(at, digestOf([text]));
      session.put(at, text, known, keep);
    };
    for (let copy = 0; copy < 40; copy++) put(`0/a/Job${copy}.java`);
    const kept = session.paths.length;
    assert.ok(kept > 0 && kept < 20, `${kept} are kept`);
    assert.equal(session.left, 40 - kept);
    assert.deepEqual(session.findings("0/a/Job0.java", text).findings.map(({ rule }) => rule), ["missing-uid"]);
    assert.deepEqual(session.findings("0/a/Job39.java", text).findings, []);
    assert.deepEqual(session.open("0/a/Job39.java", text).findings.map(({ rule }) => rule), ["missing-uid"]);
    assert.equal(session.left, 39 - kept);
    // What goes makes room.
    facts.drop("0/a/Job0.java");
    session.remove("0/a/Job0.java");
    put("0/a/Job20.java");
    assert.equal(session.left, 38 - kept);
  });
});

test("findings of a document stay right while what was made of other files' facts is forgotten after each edit", async () => {
  const folder = workspace("forgetting");
  const found = await findFiles(folder, isLintable);
  const texts = new Map<string, string>(await Promise.all(found.files.map(async (file) => [`0/${path.relative(folder, file).split(path.sep).join("/")}`, await readText(file)] as const)));
  const facts = new WorkspaceFacts(undefined, { allBytes: 1e9, madeBytes: 0 });
  const session = new LintSession(syntax, (at, error) => assert.fail(`${at}: ${String(error)}`));
  for (const [at, text] of texts) {
    const { known, keep } = facts.at(at, digestOf([text]));
    session.put(at, text, known, keep);
  }
  const random = seeded(5);
  let trims = 0;
  for (const at of ["0/src/main/java/a/Job.java", ...[...texts.keys()].filter((name) => /\.(?:java|kt|scala|py)$/.test(name)).filter((_, number) => number % 7 === 0)]) {
    const text = texts.get(at) ?? "";
    session.open(at, text);
    const fresh = new LintWorkspace(syntax);
    for (const [name, other] of texts) fresh.put(name, other);
    for (let round = 0; round < 4; round++) {
      const start = Math.floor(random() * text.length);
      const typed = session.edit(at, [{ start, end: start, text: " x" }]);
      fresh.put(at, `${text.slice(0, start)} x${text.slice(start)}`);
      assert.deepEqual(typed.findings, fresh.findings(at), `${at} at ${start}`);
      if (facts.trim()) trims++;
      assert.deepEqual(session.edit(at, [{ start, end: start + 2, text: "" }]).findings, (fresh.put(at, text), fresh.findings(at)), `${at} at ${start}, taken back`);
    }
    session.close(at);
    const { known, keep } = facts.at(at, digestOf([text]));
    session.put(at, text, known, keep);
  }
  assert.ok(trims > 5, `${trims}`);
});

describe("facts that are kept for long", () => {
  test("are the same once what was made of them late was forgotten, and copies of them are whole", async () => {
    const encoder = new FactsEncoder();
    const kept = new KeptFacts();
    for (const language of languages) {
      const { workspace: read, files } = await workspaceOf(path.join(fixtures, language));
      for (const file of files) {
        const facts = read.facts(file);
        if (facts === undefined) continue;
        const decoded = decodeFacts(encoder.encode(facts), kept);
        for (const look of [1, 2]) {
          assert.deepEqual(structuredClone(decoded), structuredClone(facts), `${file}, look ${look}`);
          kept.forget();
        }
        assert.deepEqual(structuredClone({ ...(decoded as object) }), structuredClone(facts), file);
      }
      read.dispose();
    }
  });

  test("many of them share their texts, and what was made is counted until it is forgotten", () => {
    const kept = new KeptFacts();
    const bytes = new FactsEncoder().encode({ path: "a", functions: [{ name: "f", base: 1, params: [{ name: "x" }], body: { parts: ["a name", 2] } }] });
    const facts = decodeFacts(bytes, kept) as { readonly functions: readonly { readonly name: string; readonly body: unknown }[] };
    assert.equal(facts.functions[0]?.name, "f");
    assert.equal(kept.madeBytes, 0);
    const { body } = facts.functions[0];
    assert.deepEqual(body, { parts: ["a name", 2] });
    assert.ok(kept.madeBytes > 0);
    assert.equal(facts.functions[0].body, body);
    kept.forget();
    assert.equal(kept.madeBytes, 0);
    assert.notEqual(facts.functions[0].body, body);
    assert.deepEqual(facts.functions[0].body, body);
  });
});
