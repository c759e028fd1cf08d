import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { rules } from "../../src/core/lint/rules";

/** Everything that ships, and nothing else. What is added here is read and shipped by everyone who installs the extension. */
const expected = [
  "[Content_Types].xml",
  "extension.vsixmanifest",
  "extension/CHANGELOG.md",
  "extension/LICENSE.txt",
  "extension/NOTICE",
  "extension/dist/extension.js",
  "extension/dist/flink-savepoints.mjs",
  "extension/dist/sample-job.jar",
  "extension/dist/webview/comparison/main.js",
  "extension/dist/webview/comparison/style.css",
  "extension/dist/webview/inspector/main.js",
  "extension/dist/webview/inspector/style.css",
  "extension/dist/webview/overview/main.js",
  "extension/dist/webview/overview/style.css",
  "extension/dist/webview/pairs/main.js",
  "extension/dist/webview/pairs/style.css",
  "extension/dist/worker/comparison.js",
  "extension/dist/worker/inspection.js",
  "extension/dist/worker/lint.build",
  "extension/dist/worker/lint.js",
  "extension/dist/worker/lintShare.js",
  "extension/dist/worker/pairing.js",
  ...["java", "kotlin", "python", "scala"].map((grammar) => `extension/dist/tree-sitter-${grammar}.wasm`),
  "extension/dist/web-tree-sitter.wasm",
  ...Object.keys(rules).map((rule) => `extension/docs/rules/${rule}.md`), "extension/docs/schema/flink-savepoints.schema.json", "extension/docs/paimon.md", "extension/docs/schedules.md", "extension/docs/cleanup.md",
  "extension/media/activity.svg",
  ...["1.15.4", "1.16.3", "1.17.2", "1.18.1", "1.19.3", "1.20.5", "2.0.2", "2.1.3", "2.2.1", "2.3.0"].map((version) => `extension/media/flink/${version}.json`),
  "extension/media/icon.png",
  "extension/media/paimon/actions.json",
  ...["CustomerTotals", "Order", "OrderGenerator", "OrdersJob"].map((name) => `extension/media/sampleJob/orders/${name}.java`),
  "extension/package.json",
  "extension/readme.md",
  "extension/syntaxes/flink-savepoint.language.json",
  "extension/syntaxes/flink-savepoint.tmLanguage.json",
];
const atActivationLimitBytes = 25_000;
/** What is loaded just after activation, in every window. */
const inEveryWindowLimitBytes = 500_000;
const chunksLimitBytes = 1_200_000;
const packageLimitBytes = 2_500_000;

test("the package holds exactly the listed files", () => {
  assert.deepEqual([...entries().keys()].filter((name) => !chunk.test(name)).map(spelling).sort(), expected.map(spelling).sort());
});

test("the readme of the package names no picture, which would lie nowhere", () => {
  const text = read([...entries().keys()].find((name) => name.toLowerCase() === "extension/readme.md") ?? "").toString();
  assert.match(text, /^# Flink Savepoints\n\n[A-Z]/);
  assert.doesNotMatch(text, /<picture|<img|!\[/);
});

test("what is loaded at activation is below 25 kB, and what every window loads after it below 500 kB", () => {
  const atActivation = loadedBy("extension/dist/extension.js");
  const [window, another] = chunks().filter((name) => /^window-/.test(path.posix.basename(name)));
  assert.ok(window !== undefined && another === undefined);
  assert.ok(!atActivation.has(window));
  assert.ok(bytesOf(atActivation) < atActivationLimitBytes, `${bytesOf(atActivation)} bytes in ${[...atActivation].join(", ")}`);
  assert.ok(bytesOf(loadedBy(window)) < inEveryWindowLimitBytes, `${bytesOf(loadedBy(window))} bytes in ${[...loadedBy(window)].join(", ")}`);
});

test("every chunk is of the production build, small in sum, and reached from the main file", () => {
  const reached = loadedBy("extension/dist/extension.js", true);
  assert.deepEqual(chunks().filter((name) => !reached.has(name)), []);
  assert.ok(bytesOf(reached) < chunksLimitBytes, `${bytesOf(reached)} bytes`);
  for (const name of reached) assert.ok(!read(name).includes("sourceMappingURL"), `${name} names a source map`);
});

test("the whole package is small, and no file in it names a place on the machine that built it", () => {
  assert.ok(readFileSync(vsix()).length < packageLimitBytes, `${readFileSync(vsix()).length} bytes`);
  for (const [name, content] of entries()) {
    if (/\.(js|css|json|md|svg|java)$/.test(name)) assert.ok(!content().includes(process.cwd()), `${name} names ${process.cwd()}`);
  }
});

test("the icons are there in the sizes that the marketplace and the activity bar want", () => {
  const png = read("extension/media/icon.png");
  assert.equal(png.subarray(1, 4).toString("latin1"), "PNG");
  assert.ok(png.readUInt32BE(16) >= 128 && png.readUInt32BE(20) >= 128);
  assert.match(read("extension/media/activity.svg").toString(), /viewBox="0 0 24 24".*currentColor/s);
});

/** A part of the extension's code that is loaded when it is needed first; named by what is in it. */
const chunk = /^extension\/dist\/chunks\/\w+-[0-9A-Z]{8}\.js$/;

function chunks(): string[] {
  return [...entries().keys()].filter((name) => chunk.test(name));
}

/** The files that are loaded when this one is: itself and what it requires, at once or, when asked for, also late. */
function loadedBy(first: string, late = false): Set<string> {
  const loaded = new Set<string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const [, before, spec] of read(name).toString().matchAll(/(.{0,8})\brequire\("(\.[^"]+)"\)/gs)) if (late || !/=>/.test(before ?? "")) load(path.posix.join(path.posix.dirname(name), spec ?? ""));
  };
  load(first);
  return loaded;
}

function bytesOf(names: Iterable<string>): number {
  return [...names].reduce((sum, name) => sum + read(name).length, 0);
}

function vsix(): string {
  const file = process.env["RIG_VSIX"];
  assert.ok(file, 'RIG_VSIX is not set: start this through "npm test -- ui package"');
  return file;
}

function read(name: string): Buffer {
  const content = entries().get(name);
  assert.ok(content, `${name} is not in the package`);
  return content();
}

/** The packing tool has changed the case of the texts at the top before. */
function spelling(name: string): string {
  return name.replace(/^extension\/[^/]+\.(md|txt)$/i, (text) => text.toLowerCase());
}

/** Names and contents by the central directory of the zip (APPNOTE 4.3.12). */
function entries(): Map<string, () => Buffer> {
  const zip = readFileSync(vsix());
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const found = new Map<string, () => Buffer>();
  for (let index = 0, at = zip.readUInt32LE(end + 16); index < zip.readUInt16LE(end + 10); index++) {
    const [method, sizeBytes, nameLength, extraLength, commentLength, offset] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32), zip.readUInt32LE(at + 42)];
    const name = zip.subarray(at + 46, at + 46 + nameLength).toString();
    found.set(name, () => {
      const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
      const data = zip.subarray(start, start + sizeBytes);
      return method === 0 ? data : inflateRawSync(data);
    });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return found;
}
