import assert from "node:assert/strict";
import { test } from "node:test";
import { deltaFiles } from "../../src/core/paimon/manifest";
import type { PaimonSnapshot } from "../../src/core/paimon/snapshot";
import type { WarehouseReader } from "../../src/core/paimon/warehouse";
import { ByteWriter } from "./metadataWriter";

const table = { name: "d.t", objectName: "t", folder: "/w/d.db/t", home: "/w/d.db/t" };
const snapshot: PaimonSnapshot = { id: 1, schemaId: 0, commitUser: "u", commitIdentifier: 1n, commitKind: "APPEND", timeMs: 0, totalRecordCount: 1, deltaManifestList: "manifest-list-1", uuid: null };
const uuid = "0123abcd-0123-0123-0123-0123456789ab";

/** Avro's zigzag number. */
function zigzag(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value * 2; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 0x80);
    if (rest < 128) return Buffer.from(bytes);
  }
}

function avro(codec: string, ...blocks: readonly Uint8Array[]): Uint8Array {
  const out = new ByteWriter().raw(Buffer.from("Obj\u0001")).raw(zigzag(1)).raw(zigzag(10)).raw(Buffer.from("avro.codec")).raw(zigzag(codec.length)).raw(Buffer.from(codec)).raw(zigzag(0)).raw(Buffer.alloc(16));
  for (const block of blocks) out.raw(zigzag(1)).raw(zigzag(block.length)).raw(block).raw(Buffer.alloc(16));
  return Buffer.from(out.finish());
}

const block = (type: number, size: number, last: boolean): readonly number[] => {
  const head = (size << 3) | (type << 1) | (last ? 1 : 0);
  return [head & 255, (head >> 8) & 255, (head >> 16) & 255];
};
const magic = [0x28, 0xb5, 0x2f, 0xfd];
/** A frame of a text as it is, with a window of some power of two from 2^10 on. */
const stored = (text: string, windowPower = 10): Uint8Array => Buffer.from([...magic, 0, (windowPower - 10) << 3, ...block(0, text.length, true), ...Buffer.from(text)]);
/** A frame of so many blocks of 128 kB of the same byte. */
function bomb(blocks: number, windowPower: number): Uint8Array {
  const out = new ByteWriter().raw(Buffer.from([...magic, 0, (windowPower - 10) << 3]));
  for (let i = 1; i <= blocks; i++) out.raw(Buffer.from([...block(1, 131_072, i === blocks), 0x61]));
  return Buffer.from(out.finish());
}

const filesOf = (list: Uint8Array, manifest: Uint8Array): ReturnType<typeof deltaFiles> => {
  const reader: WarehouseReader = { look: () => Promise.resolve(undefined), list: () => Promise.resolve([]), read: (file) => Promise.resolve(file.includes("manifest-list") ? list : manifest) };
  return deltaFiles(reader, table, snapshot);
};
const list = avro("null", Buffer.from(`manifest-${uuid}-0`));

/** A text as a block of Avro's snappy: its length, one literal of at most 60 bytes, a checksum. */
const snappy = (text: string): Uint8Array => Buffer.from([text.length, (text.length - 1) << 2, ...Buffer.from(text), 1, 2, 3, 4]);

test("names of data files are found in compressed and in plain manifests", async () => {
  const text = `data-${uuid}-7.parquet`;
  for (const manifest of [avro("snappy", snappy(text)), avro("null", Buffer.from(text)), avro("zstandard", stored(text)), avro("zstandard", stored("other"), stored(text, 21))]) assert.deepEqual([...(await filesOf(list, manifest)) ?? []], [`${uuid}-7`]);
});

test("a manifest that would unpack to gigabytes, or wants gigabytes to unpack, is left alone", async () => {
  const rss = process.memoryUsage().rss;
  const begun = performance.now();
  const many = Array.from({ length: 400_000 }, () => [...block(1, 1, false), 0x61]).flat();
  for (const evil of [bomb(100_000, 17), stored("x", 30), bomb(4, 30), Buffer.from([...magic, 0, (22 - 10) << 3, ...many]), Buffer.from([...magic, 0xe0, 255, 255, 255, 127, 0, 0, 0, 0]), Buffer.from([1, 2, 3])]) {
    assert.equal(await filesOf(list, avro("zstandard", evil)), undefined);
    assert.equal(await filesOf(avro("zstandard", evil), list), undefined);
  }
  // A length of four gigabytes, and one that the block does not hold.
  for (const evil of [Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0x61, 1, 2, 3, 4]), Buffer.from([0x80, 1, 0, 0x61, 1, 2, 3, 4]), Buffer.from([1])]) assert.equal(await filesOf(list, avro("snappy", evil)), undefined);
  assert.ok(performance.now() - begun < 30_000);
  assert.ok(process.memoryUsage().rss - rss < 500e6);
});
