import path from "node:path";
import { Edit, Language, Parser, type Tree } from "web-tree-sitter";
import { RememberingNode } from "./rememberingNode";
import { SyntaxTimeout, type GrammarName, type Syntax, type SyntaxDocument } from "../../core/lint/syntax";

/** Newer runtimes ask for the text again at nearly every token of Scala and copy what they get, so the pieces are small (a sixth of the time). */
const chunkLength = 128;
/** A text that takes longer is given up. */
const parseLimitMs = 10_000;

/** Loads the runtime and the grammars from the `.wasm` files in the folder. Rejects when a file is missing. */
export async function loadSyntax(folder: string, grammars: readonly GrammarName[] = ["java", "kotlin", "scala", "python"]): Promise<Syntax> {
  await Parser.init({ locateFile: (name: string) => path.join(folder, name) });
  const parsers = new Map<GrammarName, Parser>();
  for (const grammar of grammars) parsers.set(grammar, new Parser().setLanguage(await Language.load(path.join(folder, `tree-sitter-${grammar}.wasm`))));

  const parse = (grammar: GrammarName, text: string, old: Tree | null): Tree => {
    const parser = parsers.get(grammar);
    if (parser === undefined) throw new Error(`The grammar ${grammar} was not loaded.`);
    const until = performance.now() + parseLimitMs;
    const tree = parser.parse((index) => text.slice(index, index + chunkLength), old, { progressCallback: () => performance.now() > until });
    if (tree === null) {
      parser.reset();
      throw new SyntaxTimeout();
    }
    return tree;
  };

  return {
    parse(grammar, text, use) {
      const tree = parse(grammar, text, null);
      try {
        return use({ rootNode: new RememberingNode(tree.rootNode) });
      } finally {
        tree.delete();
      }
    },
    open: (grammar, text) => documentOf(parse(grammar, text, null), text, (next, old) => parse(grammar, next, old)),
  };
}

function documentOf(first: Tree, firstText: string, parse: (text: string, old: Tree) => Tree): SyntaxDocument {
  let tree = first;
  let text = firstText;
  return {
    get tree() {
      return { rootNode: new RememberingNode(tree.rootNode) };
    },
    get text() {
      return text;
    },
    edit(edits) {
      let [before, behind, by] = [text.length, 0, 0];
      for (const { start, end, text: inserted } of edits) {
        const longer = inserted.length - (end - start);
        before = Math.min(before, start);
        behind = Math.max(behind, end) + longer;
        by += longer;
        const next = text.slice(0, start) + inserted + text.slice(end);
        const newEnd = start + inserted.length;
        tree.edit(new Edit({
          startIndex: start, oldEndIndex: end, newEndIndex: newEnd,
          startPosition: pointAt(text, start), oldEndPosition: pointAt(text, end), newEndPosition: pointAt(next, newEnd),
        }));
        text = next;
      }
      const next = parse(text, tree);
      // What is the same text may have become something else, as behind a quote that was opened.
      for (const range of tree.getChangedRanges(next)) {
        before = Math.min(before, range.startIndex);
        behind = Math.max(behind, range.endIndex);
      }
      tree.delete();
      tree = next;
      return { before, behind, by };
    },
    dispose: () => tree.delete(),
  };
}

function pointAt(text: string, offset: number): { row: number; column: number } {
  let row = 0;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    row++;
    lineStart = at + 1;
  }
  return { row, column: offset - lineStart };
}
