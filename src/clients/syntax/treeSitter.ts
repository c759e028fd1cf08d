import { readFile } from "node:fs/promises";
import path from "node:path";
import { Edit, Language, Parser, type Point, type Tree } from "web-tree-sitter";
import { SyntaxTimeout, type GrammarName, type Syntax, type SyntaxDocument, type SyntaxNode } from "../../core/lint/syntax";
import { rootAt, tablesOf, type GrammarTables } from "./treeMemory";

/** What of WebAssembly is used; Node's types do not declare it. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};
type Memory = Parameters<typeof rootAt>[0];
interface Imports {
  readonly env: { readonly memory: Memory; tree_sitter_parse_callback(to: number, index: number, row: number, column: number, lengthAt: number): void };
}

/** The parser asks for the text again at nearly every token of Scala and copies what it gets, so the pieces are small; in UTF-16 units. */
const pieceLength = 512;
/** A text that takes longer is given up. */
const parseLimitMs = 10_000;

/** A parser whose grammars are loaded as they are needed. */
export interface LoadableSyntax extends Syntax {
  /** Loads what is not loaded yet. Rejects when a file is missing. One call at a time. */
  load(grammars: readonly GrammarName[]): Promise<void>;
}

interface LoadedGrammar {
  readonly parser: Parser;
  readonly tables: GrammarTables;
  readonly runtime: Runtime;
}

/** Loads the grammars, and with the first the runtime, from the `.wasm` files in the folder. Rejects when a file is missing. */
export async function loadSyntax(folder: string, grammars: readonly GrammarName[] = ["java", "kotlin", "scala", "python"]): Promise<LoadableSyntax> {
  const parsers = new Map<GrammarName, LoadedGrammar>();
  const load = async (wanted: readonly GrammarName[]): Promise<void> => {
    for (const grammar of wanted.filter((each) => !parsers.has(each))) {
      const runtime = await loadRuntime(path.join(folder, "web-tree-sitter.wasm"));
      const language = await Language.load(path.join(folder, `tree-sitter-${grammar}.wasm`));
      parsers.set(grammar, { parser: new Parser().setLanguage(language), tables: tablesOf(language), runtime });
    }
  };
  await load(grammars);

  const known = (grammar: GrammarName): LoadedGrammar => {
    const found = parsers.get(grammar);
    if (found === undefined) throw new Error(`The grammar ${grammar} was not loaded.`);
    return found;
  };
  const parse = (grammar: GrammarName, text: string, old: Tree | null): Tree => {
    const { parser, runtime } = known(grammar);
    const until = performance.now() + parseLimitMs;
    runtime.input.take(text);
    const tree = parser.parse(() => undefined, old, { progressCallback: () => performance.now() > until });
    if (tree === null) {
      parser.reset();
      throw new SyntaxTimeout();
    }
    return tree;
  };
  const rootOf = (grammar: GrammarName, tree: Tree, text: string): SyntaxNode => {
    const { runtime, tables } = known(grammar);
    return rootAt(runtime.memory, tree.rootNode.id, tables, text);
  };

  return {
    load,
    parse(grammar, text, use) {
      const tree = parse(grammar, text, null);
      try {
        return use({ rootNode: rootOf(grammar, tree, text) });
      } finally {
        tree.delete();
      }
    },
    open: (grammar, text) => documentOf(parse(grammar, text, null), text, (next, old) => parse(grammar, next, old), (tree, of) => rootOf(grammar, tree, of)),
  };
}

/** The text that is being parsed, as the parser asks for it: web-tree-sitter makes a string of each piece and stores it a character at a time. */
class Input {
  readonly #memory: Memory;
  #heap: Uint16Array<ArrayBufferLike> = new Uint16Array(0);
  #units = new Uint16Array(0);
  #length = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  take(text: string): void {
    if (this.#units.length < text.length) this.#units = new Uint16Array(text.length * 2);
    this.#length = text.length;
    Buffer.from(this.#units.buffer).write(text, "utf16le");
  }

  /** Stores the piece that begins at `index`, and how long it is. */
  give(to: number, index: number, lengthAt: number): void {
    if (this.#heap.buffer !== this.#memory.buffer) this.#heap = new Uint16Array(this.#memory.buffer);
    const end = Math.min(index + pieceLength, this.#length);
    const length = Math.max(0, end - index);
    this.#heap[lengthAt >> 1] = length;
    this.#heap[(lengthAt >> 1) + 1] = 0;
    if (length > 0) this.#heap.set(this.#units.subarray(index, end), to >> 1);
  }
}

interface Runtime {
  readonly memory: Memory;
  readonly input: Input;
}

let loaded: Promise<Runtime> | undefined;

/** Starts the runtime, of which a thread has one. */
function loadRuntime(file: string): Promise<Runtime> {
  return loaded ??= startRuntime(file);
}

async function startRuntime(file: string): Promise<Runtime> {
  const module = await WebAssembly.compile(await readFile(file));
  let runtime: Runtime | undefined;
  await Parser.init({
    instantiateWasm(imports: Imports, done: (instance: object, module: object) => void) {
      const { env } = imports;
      const input = new Input(env.memory);
      env.tree_sitter_parse_callback = (to, index, _row, _column, lengthAt) => input.give(to, index, lengthAt);
      runtime = { memory: env.memory, input };
      const instance = new WebAssembly.Instance(module, imports);
      done(instance, module);
      return instance.exports;
    },
  });
  if (runtime === undefined) throw new Error("The parser did not start.");
  return runtime;
}

function documentOf(first: Tree, firstText: string, parse: (text: string, old: Tree) => Tree, rootOf: (tree: Tree, text: string) => SyntaxNode): SyntaxDocument {
  let tree = first;
  let text = firstText;
  return {
    get tree() {
      return { rootNode: rootOf(tree, text) };
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
        const startPosition = pointAt(text, start);
        tree.edit(new Edit({
          startIndex: start, oldEndIndex: end, newEndIndex: newEnd,
          startPosition, oldEndPosition: pointAt(text, end, start, startPosition), newEndPosition: pointAt(next, newEnd, start, startPosition),
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

/** The place of an offset, counted on from the place of an earlier one. */
function pointAt(text: string, offset: number, from = 0, place: Point = { row: 0, column: 0 }): Point {
  let { row } = place;
  let lineStart = from - place.column;
  for (let at = text.indexOf("\n", from); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    row++;
    lineStart = at + 1;
  }
  return { row, column: offset - lineStart };
}
