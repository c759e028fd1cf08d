import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Edit, Language, Parser, type Node } from "web-tree-sitter";
import { rootAt, tablesOf } from "../../src/clients/syntax/treeMemory";
import type { SyntaxNode } from "../../src/core/lint/syntax";
import { generatedJob, languages, type Language as JobLanguage } from "../e2e/support/generatedJobs";

/** web-tree-sitter as it comes, but for a look at its memory. */
let memory: { readonly buffer: ArrayBufferLike } | undefined;
await Parser.init({
  locateFile: (name: string) => path.resolve("dist", name),
  instantiateWasm(imports: { readonly env: { readonly memory: { readonly buffer: ArrayBufferLike } } }, done: (instance: unknown, module: unknown) => void) {
    memory = imports.env.memory;
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object; Instance: new (module: object, imports: object) => object } }).WebAssembly;
    const module = new Module(readFileSync(path.resolve("dist/web-tree-sitter.wasm")));
    done(new Instance(module, imports), module);
  },
});

const fixtures = path.resolve("test/fixtures/lint");

for (const [name, ending] of Object.entries(languages) as [JobLanguage, string][]) {
  test(`trees of ${name} read from the parser's memory are those web-tree-sitter tells of, whole, broken and edited`, async () => {
    const language = await Language.load(path.resolve(`dist/tree-sitter-${name}.wasm`));
    const parser = new Parser().setLanguage(language);
    const tables = tablesOf(language);
    const files = readdirSync(fixtures, { recursive: true }).map(String).filter((file) => file.endsWith(`.${ending}`));
    const whole = [...files.map((file) => readFileSync(path.join(fixtures, file), "utf8")), generatedJob(name, 5)];
    assert.ok(whole.length > 3);
    const broken = whole.flatMap((text, at) => [text.slice(0, (text.length * 2) / 3), text.slice(0, text.length / 2) + "([{\"" + text.slice(text.length / 2), text.replaceAll(at % 2 === 0 ? ")" : ";", "")]);
    let nodes = 0;
    for (const text of [...whole, ...broken, "", " \n", "é𝄞\n  \"ü"]) {
      const tree = parser.parse(text);
      assert.ok(tree !== null && memory !== undefined);
      nodes += same(rootAt(memory, tree.rootNode.id, tables, text), tree.rootNode, language.fields);
      const at = Math.floor(text.length / 3);
      const edited = `${text.slice(0, at)}x${text.slice(at)}`;
      const before = text.slice(0, at).split("\n");
      const place = { row: before.length - 1, column: before.at(-1)?.length ?? 0 };
      tree.edit(new Edit({ startIndex: at, oldEndIndex: at, newEndIndex: at + 1, startPosition: place, oldEndPosition: place, newEndPosition: { ...place, column: place.column + 1 } }));
      const again = parser.parse(edited, tree);
      assert.ok(again !== null);
      nodes += same(rootAt(memory, again.rootNode.id, tables, edited), again.rootNode, language.fields);
      tree.delete();
      again.delete();
    }
    assert.ok(nodes > 5000, `${nodes} nodes`);
  });
}

/** Compares two trees node by node, and says how many there were. */
function same(ours: SyntaxNode, theirs: Node, fields: readonly (string | null)[]): number {
  let count = 0;
  const todo: [SyntaxNode, Node][] = [[ours, theirs]];
  for (let pair = todo.pop(); pair !== undefined; pair = todo.pop()) {
    const [our, their] = pair;
    count++;
    const place = `${their.type} at ${their.startIndex}`;
    assert.deepEqual(
      [our.id, our.type, our.isNamed, our.isError, our.hasError, our.startIndex, our.endIndex, our.column],
      [their.id, their.type, their.isNamed, their.isError, their.hasError, their.startIndex, their.endIndex, their.startPosition.column],
      place,
    );
    const children = their.children.filter((child) => child !== null);
    assert.deepEqual(our.children.map(({ id }) => id), children.map(({ id }) => id), place);
    assert.deepEqual(our.namedChildren.map(({ id }) => id), children.filter(({ isNamed }) => isNamed).map(({ id }) => id), place);
    if (children.length > 0) for (const field of fields) if (field !== null) assert.equal(our.childForFieldName(field)?.id, their.childForFieldName(field)?.id, `${field} of ${place}`);
    children.forEach((child, at) => {
      const our1 = our.children[at];
      assert.ok(our1 !== undefined);
      todo.push([our1, child]);
    });
  }
  return count;
}
