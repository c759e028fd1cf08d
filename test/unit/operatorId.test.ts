import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hexOf } from "../../src/core/base/hex";
import { operatorIdOf } from "../../src/core/metadata/operatorId";
import { corpusFolder } from "./metadataFiles";

test("a uid gives the operator id that Flink gives it", () => {
  const known = {
    "a": "897859f6655555855a890e51483ab5e6",
    "uid": "0e1febe90327d1cea326114660ec1de8",
    "my-uid": "8409efe6adc6d20787611f16017c808f",
    "Kafka-Source": "c7e5339a07ef5dd1aca48c588fcd4d3c",
    "0123456789abcdef": "a7d14acf946de04bda08a7635c5bc387",
    "0123456789abcdef0": "75c0a58587ae24ebca283131b368fb73",
    "é中😀": "d33ba89f0e080d6d489a2a345e360a3a",
    "\ud83d": "ec2b5ca0ecce9d82cac2fdea62a4219f",
    "a\0b": "dbb5e6c1d292ef2db4b207b3d0f0a9a3",
    "this is a somewhat longer uid that needs more than two sixteen byte blocks": "3a7262929b2cd0f9282147d040394226",
    "Sink Committer: sink": "5abb6f104479fbc38acf37f2d04fd907",
    "Sink sink Global Committer": "73c2a21f62e3aa6196d8ff5210414840",
  };
  for (const [uid, id] of Object.entries(known)) assert.equal(operatorIdOf(uid), id, uid);
});

test("every uid of a larger collection gives its id", () => {
  const file = path.join(corpusFolder ?? "", "..", "operator-ids.json");
  if (!existsSync(file)) return;
  const vectors = JSON.parse(readFileSync(file, "utf8")) as Record<"uid" | "realUids", { uid: string; operatorId: string }[]>;
  for (const { uid, operatorId } of [...vectors.uid, ...vectors.realUids]) assert.equal(operatorIdOf(uid), operatorId, uid);
});

test("an id is printed in the order of its bytes", () => {
  assert.equal(hexOf(Uint8Array.of(0, 1, 0x7f, 0x80, 0xff)), "00017f80ff");
});
