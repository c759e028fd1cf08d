import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

// What the documents name is there. A document that names what is gone misleads the one who needs it most: the newcomer.

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly contributes: { readonly configuration: { readonly properties: Readonly<Record<string, unknown>> } };
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", ...readdirSync("docs", { recursive: true }).map((file) => path.join("docs", String(file))).filter((file) => file.endsWith(".md"))];
const texts = documents.map((document) => ({ document, text: readFileSync(document, "utf8") }));
const files = ["src", "test", "docs", "media"].flatMap((folder) => readdirSync(folder, { recursive: true }).map((file) => path.join(folder, String(file))));

/** What fits of each document, as `document: what`. */
function wrong(pattern: RegExp, isRight: (what: string, document: string) => boolean): string[] {
  return texts.flatMap(({ document, text }) => [...text.matchAll(pattern)].map((match) => match[1] ?? "").filter((what) => !isRight(what, document)).map((what) => `${document}: ${what}`));
}

test("every link between documents leads to a file", () => {
  assert.deepEqual(wrong(/\]\((?!https?:)([^)#\s]+)/g, (target, document) => existsSync(path.join(path.dirname(document), target))), []);
});

test("every picture of a document is there, in both themes and with a text for who can't see it, and none is left over", () => {
  const named = texts.flatMap(({ document, text }) => [...text.matchAll(/<picture><source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)"><img src="([^"]+)" width="\d+" alt="[^"]{20,}"><\/picture>/g)].flatMap(([, ...files]) => files.map((file) => path.join(path.dirname(document), file))));
  assert.deepEqual(named.sort(), readdirSync(path.join("docs", "pictures")).map((file) => path.join("docs", "pictures", file)).sort());
  assert.equal(texts.reduce((sum, { text }) => sum + text.split(/<picture|!\[/).length - 1, 0) * 2, named.length, "all are written alike");
});

test("every source, test and document named in ARCHITECTURE and CONTRIBUTING is there, by its path or below the folder that was named before it", () => {
  const isThere = (name: string): boolean => existsSync(name) || existsSync(path.join("src", name)) || (!/^(src|test|docs|media|core|clients|services|host|webview|worker|cli)\//.test(name) && files.some((file) => `${file}/`.endsWith(`/${name.replace(/\/?$/, "/")}`)));
  const paths = /`((?:[\w.-]+\/)+|(?:[\w.-]+\/)*[\w.-]+\.(?:tsx?|[mc]?js|md|css))`/g;
  assert.deepEqual(wrong(paths, (name, document) => !/^(ARCHITECTURE|CONTRIBUTING)/.test(document) || /^(dist|\.rig)\//.test(name) || isThere(name)), []);
});

test("every npm script and every setting that a document names exists", () => {
  assert.deepEqual(wrong(/npm run ([\w:]+)/g, (script) => script in manifest.scripts), []);
  const settings = Object.keys(manifest.contributes.configuration.properties);
  assert.deepEqual(wrong(/`"?(flinkSavepoints\.[\w.]+)"?/g, (name) => settings.includes(name) || JSON.stringify(manifest).includes(`"${name}"`)), []);
});

test("every dependency has its line in ARCHITECTURE", () => {
  const architecture = readFileSync("ARCHITECTURE.md", "utf8");
  assert.deepEqual(Object.keys(manifest.devDependencies).filter((name) => !architecture.includes(`\`${name}\``)), []);
});
