import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { openLocalFile } from "../../src/clients/localFiles";
import { LoadedSnapshot } from "../../src/core/comparison/loadedSnapshot";
import { inMemory, type RandomAccess } from "../../src/core/metadata/randomAccess";
import { scanMetadata } from "../../src/core/metadata/scan";
import { operatorIdOf } from "../../src/core/metadata/operatorId";
import type { Serializer } from "../../src/core/metadata/states/serializer";
import { typeText } from "../../src/core/metadata/states/typeText";
import { metadataText, placeText, quoted, type TextOptions } from "../../src/core/metadata/text";
import { fileAccess, ownSnapshotFolders, snapshotFolders } from "./metadataFiles";
import { ByteWriter } from "./metadataWriter";

const fixtures = path.join(process.cwd(), "test", "fixtures", "metadata");

async function textOf(input: RandomAccess, folder: string, options: TextOptions = {}): Promise<string> {
  return (await LoadedSnapshot.load({ input, folder, open: openLocalFile })).text(options);
}

const textOfFolder = async (folder: string): Promise<string> => textOf(await fileAccess(path.join(folder, "_metadata")), folder);

/** Lines of one text that are not in the other. */
function changed(before: string, after: string): string[] {
  const left = before.split("\n");
  const rest = [...left];
  return after.split("\n").filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

/** A savepoint of format 6 with two states inside the metadata in each operator. */
function manyOperators(count: number): Uint8Array {
  const out = new ByteWriter().i32(0x4960672d).i32(6).i64(1).i32(0).i32(count);
  for (let i = 0; i < count; i++) {
    const uid = `uid-${i}`;
    out.utf(`Operator ${i}`).utf(uid).raw(Buffer.from(operatorIdOf(uid), "hex")).i32(1).i32(128).u8(0).i32(1).i32(0);
    out.i32(1).u8(4).i32(2).utf("a").u8(0).i32(0).utf("b").u8(1).i32(0).u8(1).utf("x").i32(20).raw(Buffer.alloc(20));
    out.i32(0).u8(0).u8(0).i32(0).i32(0);
  }
  return out.raw(Buffer.from([0xac, 0xed, 0, 5, 0x70])).finish();
}

for (const name of ["2.3.0/native", "1.20.5/canonical", "1.15.4/unaligned-checkpoint"]) {
  test(`the text of ${name} is the one that was looked at`, async () => {
    assert.equal(await textOfFolder(path.join(fixtures, name)), await fs.readFile(path.join(fixtures, name, "text.flink-savepoint"), "utf8"));
  });
}

test("every snapshot of ours, and of the collection where there is one, has a text with each operator once and each fact on its line", async () => {
  for (const { name, folder } of snapshotFolders()) {
    const input = await fileAccess(path.join(folder, "_metadata"));
    const text = await textOf(input, folder);
    const { metadata } = await scanMetadata(input);
    const ids = [...(metadata?.operators ?? [])].map(({ id }) => id).sort();
    assert.deepEqual([...text.matchAll(/^ {2}id +([0-9a-f]{32})/gm)].map((match) => match[1]).sort(), ids, name);
    assert.doesNotMatch(text, /undefined|NaN|\[object|\t| $/m, name);
    assert.doesNotMatch(text, /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-/, `${name} names a file that Flink made up`);
    if (ownSnapshotFolders().some((own) => own.folder === folder)) assert.doesNotMatch(text, /^ {2}#/m, name);
  }
});

test("a savepoint taken again differs only in what changed: two savepoints of one job, taken one after the other in two formats", async () => {
  const [before, after] = await Promise.all(["canonical", "native"].map((name) => textOfFolder(path.join(fixtures, "2.3.0", name))));
  const lines = changed(before ?? "", after ?? "");
  assert.ok(lines.length > 0 && lines.every((line) => /^ {2,4}(kind|checkpoint|state|size|keyed|operator|subtasks|files|inside|taken as)\b/.test(line)), lines.join("\n"));
  assert.deepEqual(lines.filter((line) => /^operator|^ {2}(id|uid|state "|parallelism)/.test(line)), []);
});

test("names of files and the order of operators in the file are not in the text", async () => {
  const folder = path.join(fixtures, "2.3.0", "canonical");
  const bytes = await fs.readFile(path.join(folder, "_metadata"));
  const renamed = Buffer.from(bytes.toString("latin1").replace(/[0-9a-f]{8}-([0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/g, "00000000-$1"), "latin1");
  assert.notDeepEqual(renamed, bytes);
  const withoutStates = { ...(await scanMetadata(inMemory(bytes))), details: () => Promise.resolve(undefined) };
  const other = { ...(await scanMetadata(inMemory(renamed))), details: () => Promise.resolve(undefined) };
  assert.equal(await metadataText(other), await metadataText(withoutStates));
  const names = [...(await textOfFolder(folder)).matchAll(/^operator (.*)$/gm)].map((match) => match[1] ?? "");
  assert.deepEqual(names, [...names].sort());
});

test("by id, operators stand in the same order whether or not the format has names", async () => {
  const ids = (text: string): string[] => [...text.matchAll(/^ {2}id +([0-9a-f]{32})/gm)].map((match) => match[1] ?? "");
  const text = await textOf(await fileAccess(path.join(fixtures, "2.3.0", "native", "_metadata")), fixtures, { order: "id" });
  assert.deepEqual(ids(text), ids(text).sort());
  assert.match(text, /^operator "keyed"$/m);
});

test("states whose files are gone are named as far as the metadata names them, and the text says what is missing", async () => {
  const text = await textOf(await fileAccess(path.join(fixtures, "1.20.5", "canonical", "_metadata")), path.join(fixtures, "nowhere"));
  assert.match(text, /state "pending": list\n {2}# A state file is not where it can be read from here, so its states are not named\./);
});

test("10,000 operators give a text within bounds in good time, and a smaller bound says what it leaves out", async () => {
  const bytes = manyOperators(10_000);
  const startMs = performance.now();
  const text = await textOf(inMemory(bytes), fixtures);
  assert.ok(performance.now() - startMs < 20_000);
  assert.equal(text.match(/^operator /gm)?.length, 10_000);
  assert.ok(text.length < 12_000_000, String(text.length));
  const short = await textOf(inMemory(bytes), fixtures, { limits: { characters: 100_000 } });
  assert.ok(short.length < 100_200, String(short.length));
  const left = Number(/# ([\d,]+) operators left out: this text ends at 97\.7 kB\.\n$/.exec(short)?.[1]?.replaceAll(",", ""));
  assert.equal(left + (short.match(/^operator /gm)?.length ?? 0), 10_000);
});

test("a file that breaks off, and one that is no metadata, have a text that says so", async () => {
  const bytes = await fs.readFile(path.join(fixtures, "2.3.0", "native", "_metadata"));
  const head = await textOf(inMemory(bytes.subarray(0, 3000)), fixtures);
  assert.match(head, /^problems 1\n {2}error +A count of .* At byte [\d,]+, operators\[\d+\]/m);
  assert.match(head, /# The file breaks off in this operator\.|# The file breaks off: this is its head only\./);
  assert.match(await textOf(inMemory(Buffer.from("no such thing")), fixtures), /^problems 1\n {2}error +This is no Flink metadata/);
});

test("strangers' names stay on their line and cannot turn the writing direction", () => {
  assert.equal(quoted("a\n\u202e\"b\u2028"), '"a\\n\\u202e\\"b\\u2028"');
  assert.equal(quoted("x".repeat(400)).length, 302);
});

test("places lose what changes with every snapshot", () => {
  assert.equal(placeText("s3://b/cp/0f1e2d3c4b5a69788796a5b4c3d2e1f0/chk-42/5f1c"), "s3://b/cp/0f1e2d3c4b5a69788796a5b4c3d2e1f0/chk-*");
  assert.equal(placeText("file:/sp/savepoint-ab12cd-0123456789ab/x"), "file:/sp/savepoint-*");
  const merged = "file:/cp/5b15bbec06538e79a62549f2e361c251/taskowned/job_5b15bbec06538e79a62549f2e361c251_tm_";
  assert.equal(placeText(`${merged}64e79e67-9e3c-47fa-9190-5c30443f6201/a2e9`), `${merged}*`);
  assert.equal(placeText(`${merged}localhost:37645-0f3a2b/a2e9`), `${merged}*`);
});

test("serializers read like types", () => {
  const one = (name: string, facts: Serializer["facts"] = {}, ...nested: Serializer[]): Serializer => ({ className: `org.apache.flink.x.${name}Snapshot`, name, version: 3, outerVersion: null, facts, nested, opaqueBytes: null });
  const full = (serializer: Serializer): string => typeText(serializer, "full");
  const brief = (serializer: Serializer): string => typeText(serializer, "brief");
  const long = one("LongSerializer");
  const text = one("StringSerializer");
  assert.equal(full(one("MapSerializer", {}, text, one("ListSerializer", {}, long))), "map<string, list<long>>");
  assert.equal(full(one("TtlStateFactory", {}, long, text)), "TTL<string>");
  assert.equal(full(one("PojoSerializer", { class: "com.acme.Seen", fields: ["at", "by"] }, long, text)), "POJO com.acme.Seen {at: long, by: string}");
  assert.equal(full(one("KryoSerializer", { class: "com.acme.Old", registrations: 3 })), "Kryo com.acme.Old");
  assert.equal(full(one("AvroSerializer", { class: "A", schema: '{"type":"record","name":"A","fields":[{"name":"id","type":"long"},{"name":"t","type":["null","string"]}]}' })), 'Avro A {id: long, t: ["null","string"]}');
  assert.equal(full(one("EnumSerializer", { class: "Color", constants: ["RED", "BLUE"] })), "enum Color (RED, BLUE)");
  assert.equal(full(one("RowDataSerializer", { types: ["BIGINT", "VARCHAR(10)"] })), "sql row<BIGINT, VARCHAR(10)>");
  assert.equal(full({ ...one(""), className: "com.acme.MySnapshot", opaqueBytes: 12 }), "com.acme.MySnapshot (its own serializer)");
  assert.equal(full(one("PojoSerializer", { class: "C", fields: Array.from({ length: 400 }, (_, i) => `f${i}`) }, ...Array.from({ length: 400 }, () => long))).length, 500);

  assert.equal(brief(one("MapSerializer", {}, text, one("ListSerializer", {}, long))), "map<string, list<long>>");
  assert.equal(brief(one("PojoSerializer", { class: "com.acme.Seen", fields: ["at", "by"] }, long, text)), "POJO com.acme.Seen (2 fields)");
  assert.equal(brief(one("AvroSerializer", { class: "A", schema: '{"type":"record","name":"A","fields":[{"name":"id","type":"long"}]}' })), "Avro A");
  assert.equal(brief(one("EnumSerializer", { class: "Color", constants: ["RED", "BLUE"] })), "enum Color");
  assert.equal(brief(one("TupleSerializer", {}, ...Array.from({ length: 10 }, () => long))), `tuple<${"long, ".repeat(8)}…>`);
  assert.equal(brief(Array.from({ length: 8 }).reduce<Serializer>((inside) => one("ListSerializer", {}, inside), long)), "list<list<list<list<list<…>>>>>");
});
