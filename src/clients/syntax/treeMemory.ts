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
  /** `SubtreeHeapData`, 0 for a token in its slot. */
  readonly #data: number;
  #children: readonly MemoryNode[] | undefined;
  #namedChildren: readonly MemoryNode[] | undefined;

  constructor(tree: TreeMemory, id: number, startByte: number, alias: number) {
    const slot = tree.words[id >> 2] ?? 0;
    this.#tree = tree;
    this.id = id;
    this.#startByte = startByte;
    this.#alias = alias;
    this.#data = (slot & 1) === 1 ? 0 : slot;
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
    return this.#alias !== 0 ? isNamedSymbol(this.#tree, this.#alias) : (flagsOf(this.#tree, this.id) & flag.named) !== 0;
  }

  get isError(): boolean {
    return this.#symbol === errorSymbol;
  }

  get hasError(): boolean {
    const flags = flagsOf(this.#tree, this.id);
    return this.#data === 0 ? (flags & missing.inSlot) !== 0 : (flags & missing.heap) !== 0 || (this.#tree.words[(this.#data + heapData.errorCost) >> 2] ?? 0) > 0;
  }

  get children(): readonly MemoryNode[] {
    return this.#children ??= this.#childCount === 0 ? nothing : this.#visible([]);
  }

  get namedChildren(): readonly MemoryNode[] {
    return this.#namedChildren ??= this.children.filter((child) => child.isNamed);
  }

  childForFieldName(name: string): MemoryNode | null {
    const field = this.#tree.grammar.fieldId(name);
    return field === 0 ? null : this.#childOfField(field);
  }

  get #childCount(): number {
    return this.#data === 0 ? 0 : (this.#tree.words[(this.#data + heapData.childCount) >> 2] ?? 0);
  }

  get #visibleChildCount(): number {
    return this.#childCount === 0 ? 0 : (this.#tree.words[(this.#data + heapData.visibleChildCount) >> 2] ?? 0);
  }

  /** Adds the children that are seen, those of hidden ones in their place. */
  #visible(into: MemoryNode[]): MemoryNode[] {
    for (const child of this.#direct()) {
      if (child.#isVisible) into.push(child);
      else if (child.#visibleChildCount > 0) child.#visible(into);
    }
    return into;
  }

  get #isVisible(): boolean {
    return this.#alias !== 0 || (flagsOf(this.#tree, this.id) & flag.visible) !== 0;
  }

  /** The children as the grammar's rule has them, hidden ones too. */
  #direct(): MemoryNode[] {
    const { words, halves, grammar } = this.#tree;
    const count = this.#childCount;
    const production = halves[(this.#data + heapData.productionId) >> 1] ?? 0;
    const aliases = production === 0 ? 0 : ((words[(grammar.address + language.aliasSequences) >> 2] ?? 0) >> 1) + production * (halves[(grammar.address + language.maxAliasSequenceLength) >> 1] ?? 0);
    const first = this.#data - count * slotBytes;
    let at = this.#startByte;
    let part = 0;
    const children = new Array<MemoryNode>(count);
    for (let index = 0; index < count; index++) {
      const id = first + index * slotBytes;
      if (index > 0) at += paddingOf(this.#tree, id);
      const isExtra = (flagsOf(this.#tree, id) & flag.extra) !== 0;
      children[index] = new MemoryNode(this.#tree, id, at, isExtra || aliases === 0 ? 0 : (halves[aliases + part] ?? 0));
      if (!isExtra) part++;
      at += sizeOf(this.#tree, id);
    }
    return children;
  }

  /** As `ts_node_child_by_field_id` finds it. */
  #childOfField(field: number): MemoryNode | null {
    if (this.#visibleChildCount === 0) return null;
    const { words, halves, bytes, grammar } = this.#tree;
    const production = halves[(this.#data + heapData.productionId) >> 1] ?? 0;
    const slice = ((words[(grammar.address + language.fieldMapSlices) >> 2] ?? 0) >> 1) + production * 2;
    const entries = words[(grammar.address + language.fieldMapEntries) >> 2] ?? 0;
    let entry = halves[slice] ?? 0;
    let end = entry + (halves[slice + 1] ?? 0);
    const fieldOf = (index: number): number => halves[(entries + index * 4) >> 1] ?? 0;
    while (entry < end && fieldOf(entry) < field) entry++;
    while (entry < end && fieldOf(end - 1) > field) end--;
    let part = -1;
    for (const child of this.#direct()) {
      if ((flagsOf(this.#tree, child.id) & flag.extra) !== 0) continue;
      part++;
      if (entry >= end) return null;
      if (part < (bytes[entries + entry * 4 + 2] ?? 0)) continue;
      if (bytes[entries + entry * 4 + 3] !== 0) {
        const found = child.#childOfField(field);
        if (found !== null || entry + 1 === end) return found;
      } else if (child.#isVisible) return child;
      else if (child.#visibleChildCount > 0) return child.#visible([])[0] ?? null;
      entry++;
    }
    return null;
  }
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
