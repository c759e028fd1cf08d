import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

/** Who may import whom. A folder may always import itself; `vscode` and `node` are outsiders like any other. The longest name that fits counts. */
const may: Readonly<Record<string, readonly string[]>> = {
  "core": ["fzstd", "jsonc-parser", "yaml", "zod"],
  "clients": ["core", "node", "zod"],
  "clients/syntax": ["core", "node", "web-tree-sitter"],
  "services": ["core"],
  "host/platform": ["core", "vscode", "zod"],
  "host": ["core", "services", "host/platform", "vscode"],
  "cli": ["app", "core", "clients", "services", "node", "zod"],
  "worker": ["core", "clients", "services", "node"],
  "webview": ["core", "preact"],
  "app.ts": ["core", "clients", "services", "node"],
  "extension.ts": ["window", "core", "host", "host/platform", "vscode"],
  "window.ts": ["app", "core", "clients", "services", "host", "host/platform", "vscode", "node"],
};

/** Calls that have one home. `within` limits a rule to some folders. */
const homes: readonly { readonly call: RegExp; readonly home: readonly string[]; readonly within?: RegExp }[] = [
  { call: /\bshow(Error|Warning|Information)Message\(/, home: ["host/platform/notify.ts"] },
  { call: /\bgetConfiguration\(/, home: ["host/platform/settings.ts"] },
  { call: /\bcreateOutputChannel\(/, home: ["window.ts"] },
  { call: /\bregisterCommand\(/, home: ["host/platform/commands.ts"] },
  { call: /\bwithProgress\(/, home: ["host/platform/progress.ts"] },
  { call: /\bcreateTreeView\(|\bregisterTreeDataProvider\(/, home: ["host/views/treeView.ts"] },
  { call: /\b(globalState|workspaceState)\b/, home: [] },
  { call: /\bfetch\(/, home: [] },
  { call: /^import (?!type )[^;]*from "node:(http|https|http2|net|tls)"/m, home: ["clients/http.ts", "clients/localFlink/freePort.ts"] },
  // Everything that waits takes a Clock; the other two give a disk that does not answer its limit, and gather its events.
  { call: /\bset(Timeout|Interval)\(/, home: ["core/base/async.ts", "clients/ledgerFiles.ts", "clients/localStorageLook.ts"] },
  { call: /\bDate\.now\(/, home: ["core/base/async.ts"], within: /^(core|services|host)\// },
  { call: /\bconsole\./, home: [] },
];

const src = path.join(process.cwd(), "src");
const files = readdirSync(src, { recursive: true }).map((file) => String(file).replaceAll(path.sep, "/")).filter((file) => /\.tsx?$/.test(file));
const text = (file: string): string => readFileSync(path.join(src, file), "utf8");

test("every import goes the allowed way", () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const spec of importsOf(text(file))) {
      const from = layerOf(file);
      const to = spec.startsWith(".") ? path.posix.normalize(path.posix.join(path.posix.dirname(file), spec)) : spec.replace(/^node:.*/, "node");
      const allowed = (spec.startsWith(".") && layerOf(`${to}.ts`) === from) || (may[from] ?? []).some((layer) => to === layer || to.startsWith(`${layer}/`));
      if (!allowed) wrong.push(`src/${file} imports ${spec}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("every import within src names a file that is there", () => {
  const wrong = files.flatMap((file) => importsOf(text(file)).filter((spec) => spec.startsWith(".") && ![".ts", ".tsx"].some((end) => existsSync(path.join(src, path.dirname(file), spec + end)))).map((spec) => `src/${file} imports ${spec}`));
  assert.deepEqual(wrong, []);
});

test("each service of the world and of the editor is reached from its one home", () => {
  const wrong = files.flatMap((file) => homes.filter(({ call, home, within }) => !home.includes(file) && (within?.test(file) ?? true) && call.test(code(file))).map(({ call }) => `src/${file}: ${call.source}`));
  assert.deepEqual(wrong, []);
});

test("every home is still a file that makes its call", () => {
  const idle = homes.flatMap(({ call, home }) => home.filter((file) => !files.includes(file) || !call.test(code(file))).map((file) => `src/${file}: ${call.source}`));
  assert.deepEqual(idle, []);
});

test("no file is named for what it is not, exports a default, or only passes on", () => {
  const wrong = files.flatMap((file) => [
    ...(/(^|\/)(utils?|helpers?|common|misc|.*[mM]anager|index)\.ts$/.test(file) ? [`src/${file}: name`] : []),
    ...(/[^/a-zA-Z0-9.]|(^|\/)[A-Z]/.test(file) ? [`src/${file}: spelling`] : []),
    ...(/^export default\b/m.test(text(file)) ? [`src/${file}: default export`] : []),
    ...(/^export (\*|\{[^}]*\}) from/m.test(text(file)) ? [`src/${file}: barrel`] : []),
  ]);
  assert.deepEqual(wrong, []);
});

test("every export has a docstring that says more than its name", () => {
  const wrong = files.flatMap((file) => [...text(file).matchAll(/(.*)\n(export (?:async |abstract |declare )*(?:function\*?|const|let|class|interface|type|enum) \w+)/g)].filter(([, before = ""]) => !/(.{10}|^) \*\/$/.test(before)).map(([, , what]) => `src/${file}: ${what}`));
  assert.deepEqual(wrong, []);
});

test("the file that joins everything stays readable in one go", () => {
  assert.ok(text("window.ts").split("\n").length <= 150);
});

test("what every window waits for is small: nothing is joined, read or checked by what is loaded at activation", () => {
  assert.deepEqual([...loadedWith("extension.ts")].sort(), [
    "core/base/async.ts", "core/base/disposable.ts", "core/base/once.ts", "core/contributions.ts", "extension.ts", "host/commands/table.ts", "host/inspector/registration.ts", "host/platform/commands.ts",
  ]);
});

test("what every window loads after activation is what it shows and follows: the readers of savepoints, code and tables are loaded by the first question", () => {
  const readers = /^(core\/(metadata\/(?!filePlace|operatorId)|inspector|comparison|paimon\/(committers|manifest|savepointPairs)|lint\/(?!fileNames))|clients\/(localFlink|syntax)|host\/(diagnostics\/(?!lintedDocuments)|inspector|compare\/(?!registration)))/;
  assert.deepEqual([...loadedWith("window.ts")].filter((file) => readers.test(file)), []);
});

/** The files that are loaded with one: itself and what it imports, types and `import()` left out. */
function loadedWith(first: string): Set<string> {
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const [, names = "", spec = ""] of text(file).matchAll(/^(?:import|export) (?!type )([^;]*?)\sfrom\s+"([^"]+)"/gm)) {
      // An import of types only, each marked by itself, is gone after the build as well.
      if (spec.startsWith(".") && !/^\{(\s*type \w+( as \w+)?,?)+\s*\}$/.test(names)) load(`${path.posix.join(path.posix.dirname(file), spec)}.ts`);
    }
  };
  load(first);
  return loaded;
}

/** What a file imports, `import type` and `import()` included. */
function importsOf(source: string): string[] {
  return [...source.matchAll(/^(?:import|export)\s[^;]*?\sfrom\s+"([^"]+)"|(?:^import\s+|\bimport\s*\(\s*)"([^"\n]+)"/gm)].map((match) => match[1] ?? match[2] ?? "");
}

/** A file without its comments. */
function code(file: string): string {
  return text(file).replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}

function layerOf(file: string): string {
  return Object.keys(may).filter((layer) => file === layer || file.startsWith(`${layer}/`)).sort((a, b) => b.length - a.length)[0] ?? "";
}
