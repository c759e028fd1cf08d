import type { SyntaxNode } from "../../core/lint/syntax";

/**
 * Reads tree-sitter's trees where they lie in the memory of its WebAssembly. web-tree-sitter's own `Node` crosses into WebAssembly at each look and
 * makes objects on the way, which took longer than parsing; here a look is a read of an array. The layout is that of `lib/src/subtree.h` and
 * `parser.h` of tree-sitter 0.26 on 32 bits, what follows from it that of `node.c`; the version is pinned, and test/unit/syntax.test.ts compares every
 * node of every fixture with what web-tree-sitter says.
 */

/** Symbols that no grammar declares. */
const errorSymbol = 0xffff;
const errorRepeatSymbol = 0xfffe;
/** Of `SubtreeHeapData`, in bytes from its start; its children lie before it. */
const heapData = { paddingBytes: 4, sizeBytes: 16, errorCost: 32, childCount: 36, symbol: 40, flags: 44, visibleChildCount: 48, productionId: 66 } as const;
/** Of `TSLanguage`. */
const language = { maxAliasSequenceLength: 36, fieldMapSlices: 64, fieldMapEntries: 68, symbolMetadata: 72, publicSymbolMap: 76, aliasSequences: 84 } as const;
/** A slot of a subtree, which is a pointer, or for a short token the token itself. */
const slotBytes = 8;
/** Flags, at the same bits in both forms; the lowest of a token in its slot says that it is one. */
const flag = { visible: 1, named: 2, extra: 4 } as const;
const missing = { heap: 1 << 9, inSlot: 1 << 4 } as const;

/** What is asked of a grammar's tables, read once. */
export interface GrammarTables {
  /** Names of the node types by their public symbols. */
  readonly types: readonly string[];
  fieldId(name: string): number;
  /** `TSLanguage`, 0 until the first tree tells. */
  address: number;
  readonly typeOf: string[];
  readonly isNamed: boolean[];
}

/** The tables of a grammar, of web-tree-sitter's `Language`. */
export function tablesOf({ types, fields }: { readonly types: readonly string[]; readonly fields: readonly (string | null)[] }): GrammarTables {
  const ids = new Map(fields.flatMap((name, id) => (name === null ? [] : [[name, id] as const])));
  return { types, fieldId: (name) => ids.get(name) ?? 0, address: 0, typeOf: [], isNamed: [] };
}

/** The root of a tree whose root slot is at the address, as `Node.id` of web-tree-sitter tells. It may be read until the tree is edited or freed. */
export function rootAt(memory: { readonly buffer: ArrayBufferLike }, address: number, grammar: GrammarTables, text: string): SyntaxNode {
  const words = new Uint32Array(memory.buffer);
  if (grammar.address === 0) {
    grammar.address = words[(address + slotBytes) >> 2] ?? 0;
  }
  const tree: TreeMemory = { words, halves: new Uint16Array(memory.buffer), bytes: new Uint8Array(memory.buffer), grammar, text };
  const slot = words[address >> 2] ?? 0;
  const padding = (slot & 1) === 1 ? (tree.bytes[address + 6] ?? 0) : (words[(slot + heapData.paddingBytes) >> 2] ?? 0);
  return new MemoryNode(tree, address, padding, 0);
}

interface TreeMemory {
  readonly words: Uint32Array;
  readonly halves: Uint16Array;
  readonly bytes: Uint8Array;
  readonly grammar: GrammarTables;
  readonly text: string;
}

const nothing: readonly MemoryNode[] = [];

class MemoryNode implements SyntaxNode {
  readonly #tree: TreeMemory;
  /** The slot's address. */
  readonly id: number;
  /** Of the first character behind blanks and comments, two a character. */
  readonly #startByte: number;
  /** What the parent calls it, 0 for its own name. */
  readonly #alias: number;
  #children: readonly MemoryNode[] | undefined;
  #namedChildren: readonly MemoryNode[] | undefined;

  constructor(tree: TreeMemory, id: number, startByte: number, alias: number) {
    this.#tree = tree;
    this.id = id;
    this.#startByte = startByte;
    this.#alias = alias;
  }

  get startIndex(): number {
    return this.#startByte >> 1;
  }

  get endIndex(): number {
    return (this.#startByte + sizeOf(this.#tree, this.id)) >> 1;
  }

  get column(): number {
    const at = this.#startByte >> 1;
    return at === 0 ? 0 : at - this.#tree.text.lastIndexOf("\n", at - 1) - 1;
  }

  get #symbol(): number {
    return this.#alias !== 0 ? this.#alias : symbolOf(this.#tree, this.id);
  }

  get type(): string {
    const symbol = this.#symbol;
    return this.#tree.grammar.typeOf[symbol] ?? typeOf(this.#tree, symbol);
  }

  get isNamed(): boolean {
    return isNamed(this.#tree, flagsOf(this.#tree, this.id), this.#alias);
  }

  get isError(): boolean {
    return this.#symbol === errorSymbol;
  }

  get hasError(): boolean {
    const flags = flagsOf(this.#tree, this.id);
    const data = dataOf(this.#tree, this.id);
    return data === 0 ? (flags & missing.inSlot) !== 0 : (flags & missing.heap) !== 0 || (this.#tree.words[(data + heapData.errorCost) >> 2] ?? 0) > 0;
  }

  get children(): readonly MemoryNode[] {
    return this.#children ??= this.#seen(false);
  }

  get namedChildren(): readonly MemoryNode[] {
    return this.#namedChildren ??= this.#seen(true);
  }

  #seen(namedOnly: boolean): readonly MemoryNode[] {
    const data = dataOf(this.#tree, this.id);
    return visibleChildCount(this.#tree, data) === 0 ? nothing : seenIn(this.#tree, data, this.#startByte, namedOnly, []);
  }

  childForFieldName(name: string): MemoryNode | null {
    const field = this.#tree.grammar.fieldId(name);
    return field === 0 ? null : childOfField(this.#tree, dataOf(this.#tree, this.id), this.#startByte, field);
  }
}

/** Adds the children that are seen, those of hidden ones in their place. */
function seenIn(tree: TreeMemory, data: number, startByte: number, namedOnly: boolean, into: MemoryNode[]): MemoryNode[] {
  const { words, halves } = tree;
  const count = words[(data + heapData.childCount) >> 2] ?? 0;
  const aliases = aliasesOf(tree, data);
  const first = data - count * slotBytes;
  let at = startByte;
  let part = 0;
  for (let id = first; id < data; id += slotBytes) {
    if (id > first) at += paddingOf(tree, id);
    const flags = flagsOf(tree, id);
    let alias = 0;
    if ((flags & flag.extra) === 0) {
      if (aliases !== 0) alias = halves[aliases + part] ?? 0;
      part++;
    }
    if (alias !== 0 || (flags & flag.visible) !== 0) {
      if (!namedOnly || isNamed(tree, flags, alias)) into.push(new MemoryNode(tree, id, at, alias));
    } else {
      const inner = dataOf(tree, id);
      if (visibleChildCount(tree, inner) > 0) seenIn(tree, inner, at, namedOnly, into);
    }
    at += sizeOf(tree, id);
  }
  return into;
}

/** As `ts_node_child_by_field_id` finds it. */
function childOfField(tree: TreeMemory, data: number, startByte: number, field: number): MemoryNode | null {
  if (visibleChildCount(tree, data) === 0) return null;
  const { words, halves, bytes, grammar } = tree;
  const slice = ((words[(grammar.address + language.fieldMapSlices) >> 2] ?? 0) >> 1) + (halves[(data + heapData.productionId) >> 1] ?? 0) * 2;
  const entries = words[(grammar.address + language.fieldMapEntries) >> 2] ?? 0;
  let entry = halves[slice] ?? 0;
  let end = entry + (halves[slice + 1] ?? 0);
  while (entry < end && halves[(entries + entry * 4) >> 1] !== field) entry++;
  while (entry < end && halves[(entries + (end - 1) * 4) >> 1] !== field) end--;
  if (entry >= end) return null;
  const aliases = aliasesOf(tree, data);
  const first = data - (words[(data + heapData.childCount) >> 2] ?? 0) * slotBytes;
  let at = startByte;
  let part = -1;
  for (let id = first; id < data; id += slotBytes) {
    if (id > first) at += paddingOf(tree, id);
    const flags = flagsOf(tree, id);
    if ((flags & flag.extra) === 0 && ++part >= (bytes[entries + entry * 4 + 2] ?? 0)) {
      const alias = aliases === 0 ? 0 : (halves[aliases + part] ?? 0);
      const inner = dataOf(tree, id);
      // A hidden child hands its fields on.
      if (bytes[entries + entry * 4 + 3] !== 0) {
        const found = childOfField(tree, inner, at, field);
        if (found !== null || entry + 1 === end) return found;
      } else if (alias !== 0 || (flags & flag.visible) !== 0) return new MemoryNode(tree, id, at, alias);
      else if (visibleChildCount(tree, inner) > 0) return seenIn(tree, inner, at, false, [])[0] ?? null;
      if (++entry === end) return null;
    }
    at += sizeOf(tree, id);
  }
  return null;
}

/** `SubtreeHeapData` of a slot, 0 for a token in it. */
function dataOf({ words }: TreeMemory, id: number): number {
  const slot = words[id >> 2] ?? 0;
  return (slot & 1) === 1 ? 0 : slot;
}

function visibleChildCount({ words }: TreeMemory, data: number): number {
  return data === 0 || words[(data + heapData.childCount) >> 2] === 0 ? 0 : (words[(data + heapData.visibleChildCount) >> 2] ?? 0);
}

/** Where the names stand that a rule gives to its parts, in half words; 0 when it gives none. */
function aliasesOf({ words, halves, grammar }: TreeMemory, data: number): number {
  const production = halves[(data + heapData.productionId) >> 1] ?? 0;
  return production === 0 ? 0 : ((words[(grammar.address + language.aliasSequences) >> 2] ?? 0) >> 1) + production * (halves[(grammar.address + language.maxAliasSequenceLength) >> 1] ?? 0);
}

function isNamed(tree: TreeMemory, flags: number, alias: number): boolean {
  return alias !== 0 ? isNamedSymbol(tree, alias) : (flags & flag.named) !== 0;
}

function flagsOf({ words, halves }: TreeMemory, id: number): number {
  const slot = words[id >> 2] ?? 0;
  return (slot & 1) === 1 ? slot >> 1 & 0x7f : (halves[(slot + heapData.flags) >> 1] ?? 0);
}

function symbolOf({ words, halves }: TreeMemory, id: number): number {
  const slot = words[id >> 2] ?? 0;
  return (slot & 1) === 1 ? slot >> 8 & 0xff : (halves[(slot + heapData.symbol) >> 1] ?? 0);
}

function sizeOf({ words, bytes }: TreeMemory, id: number): number {
  const slot = words[id >> 2] ?? 0;
  return (slot & 1) === 1 ? (bytes[id + 7] ?? 0) : (words[(slot + heapData.sizeBytes) >> 2] ?? 0);
}

function paddingOf({ words, bytes }: TreeMemory, id: number): number {
  const slot = words[id >> 2] ?? 0;
  return (slot & 1) === 1 ? (bytes[id + 6] ?? 0) : (words[(slot + heapData.paddingBytes) >> 2] ?? 0);
}

function typeOf({ words, halves, grammar }: TreeMemory, symbol: number): string {
  const seen = symbol >= errorRepeatSymbol ? symbol : (halves[((words[(grammar.address + language.publicSymbolMap) >> 2] ?? 0) >> 1) + symbol] ?? 0);
  return (grammar.typeOf[symbol] = grammar.types[seen] ?? "ERROR");
}

function isNamedSymbol({ words, bytes, grammar }: TreeMemory, symbol: number): boolean {
  return (grammar.isNamed[symbol] ??= symbol === errorSymbol || (symbol !== errorRepeatSymbol && bytes[(words[(grammar.address + language.symbolMetadata) >> 2] ?? 0) + symbol * 3 + 1] !== 0));
}
