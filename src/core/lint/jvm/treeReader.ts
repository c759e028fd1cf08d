import type { SyntaxNode } from "../syntax";
import type { ClassFeatures, Expr, FunctionModel, Span, TypeName } from "./model";
import { typeOf } from "./typeText";

/** Deeper nested code is not followed, so that no input overflows the stack. */
const depthLimit = 300;
/** Short functions may be factories of functions, sinks or names whatever they call. */
const shortBodyLength = 600;

/** Words without which a body has nothing to do with streams. */
const streamWords = new RegExp(
  "\\b(uid|Uid|env|Env|setUid|withUid|setUidHash|keyBy|sinkTo|addSink|addSource|fromSource|fromSequence|fromData|fromElements|fromCollection|readTextFile|readFile|process|" +
  "window|windowAll|timeWindow|countWindow|timeWindowAll|countWindowAll|intervalJoin|coGroup|connect|broadcast|orderedWait|unorderedWait|mapWithState|flatMapWithState|" +
  "filterWithState|asQueryableState|getExecutionEnvironment|StreamExecutionEnvironment|\\w*DataStream\\w*|SingleOutputStreamOperator|KeyedStream|WindowedStream|" +
  "CEP|FlinkSink|IcebergSink|KafkaSink|KafkaSource|FileSink|StreamTableEnvironment|toSink|connectAndProcess|reduce|flatMap|" +
  // What a factory of sources, sinks and functions names.
  "\\w+(?:Sink|Source|Function)|Flink(?:Kafka|Kinesis|Pulsar)\\w+)\\b",
);
/** Asks for keyed state, or names a descriptor (lint.md §2.1). */
const keyedStateWords = /\bget(?:Partitioned)?(?:State|ListState|MapState|ReducingState|AggregatingState|FoldingState)\s*[([]|\w+StateDescriptor\b|\bgetKeyedStateStore\b|\bkeyedStateStore\b|\bregister(?:Event|Processing)TimeTimer\s*\(/;
const operatorStateWords = /\bgetOperatorStateStore\b|\boperatorStateStore\b|\bget(?:Union)?ListState\s*[([]/;
const stateDeclaration = /(?:\w+StateDescriptor|\b(?:Value|List|Map|Reducing|Aggregating)State)\s*[<[(]/;

/** What the front ends of the three languages share: places, depth, errors, and which bodies are worth reading. */
export class TreeReader {
  readonly text: string;
  /** Offsets count from here. */
  base = 0;
  tooDeep = false;
  #depth = 0;
  #inside = false;
  readonly #hasErrors: boolean;
  readonly bodies = new Map<string, FunctionModel>();
  readonly #before: ReadonlyMap<string, FunctionModel> | undefined;

  constructor(text: string, root: SyntaxNode, before: ReadonlyMap<string, FunctionModel> | undefined) {
    this.text = text;
    this.#hasErrors = root.hasError;
    this.#before = before;
  }

  span(node: SyntaxNode): Span {
    return { start: node.startIndex - this.base, end: node.endIndex - this.base };
  }

  slice(node: SyntaxNode): string {
    return this.text.slice(node.startIndex, node.endIndex);
  }

  type(node: SyntaxNode | null | undefined): TypeName | undefined {
    return node === null || node === undefined ? undefined : typeOf(this.slice(node));
  }

  /** Whether the node holds a syntax error; free of cost in a file without any. */
  broken(node: SyntaxNode): boolean {
    return this.#hasErrors && node.hasError;
  }

  /** Reads one level deeper; too deep, what is there is broken. */
  deeper(node: SyntaxNode, read: () => Expr): Expr {
    if (this.#depth >= depthLimit) {
      this.tooDeep = true;
      return { kind: "broken", value: undefined, ...this.span(node) };
    }
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }

  /** A broken expression whose parts are read all the same, since they may say what a variable is. */
  guarded(node: SyntaxNode, read: () => Expr): Expr {
    const value = read();
    return this.broken(node) ? { kind: "broken", value, ...this.span(node) } : value;
  }

  /** Whether a body is worth reading. */
  matters(node: SyntaxNode): boolean {
    const length = node.endIndex - node.startIndex;
    return length <= shortBodyLength || streamWords.test(this.text.slice(node.startIndex, node.endIndex));
  }

  /**
   * A member of a file or a class. Its offsets count from its own start, and one whose text is the same as before an edit is taken over, with its
   * new place. A member inside of another one's body counts with that one and has the base -1.
   */
  member(node: SyntaxNode, read: () => FunctionModel): FunctionModel {
    if (this.#inside) return read();
    const text = this.slice(node);
    const before = this.broken(node) || this.bodies.has(text) ? undefined : this.#before?.get(text);
    this.base = node.startIndex;
    this.#inside = true;
    try {
      const fun = before === undefined ? read() : { ...before };
      fun.base = node.startIndex;
      if (!this.broken(node)) this.bodies.set(text, fun);
      return fun;
    } finally {
      this.base = 0;
      this.#inside = false;
    }
  }

  /** Where offsets count from, for a member being read. */
  get memberBase(): number {
    return this.#inside ? -1 : this.base;
  }

  /** What the text of a class tells of its state. One above which there is nothing is no function of Flink's, so it is not looked at. */
  features(node: SyntaxNode, supers: readonly TypeName[]): ClassFeatures {
    if (supers.length === 0) return { keyedState: false, operatorState: false, emptyInitialize: false, stateAt: undefined };
    const text = this.slice(node);
    const at = stateDeclaration.exec(text)?.index;
    return {
      keyedState: keyedStateWords.test(text),
      operatorState: operatorStateWords.test(text),
      emptyInitialize: /\binitializeState\s*\([^)]*\)[^{=]*(?:\{\s*(?:\/\/[^\n]*\s*)*\}|=\s*(?:\(\)|Unit)\b)/.test(text),
      stateAt: at,
    };
  }
}

/** The children of a node that are named and there. */
export function named(node: SyntaxNode): SyntaxNode[] {
  return node.namedChildren.filter((child): child is SyntaxNode => child !== null && !isComment(child));
}

/** Every child that is there, tokens included. */
export function all(node: SyntaxNode): SyntaxNode[] {
  return node.children.filter((child): child is SyntaxNode => child !== null);
}

export function isComment(node: SyntaxNode): boolean {
  return node.type === "comment" || node.type === "line_comment" || node.type === "block_comment" || node.type === "multiline_comment";
}

/** Offset of each line's first character. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** A text between quotes, with the escapes that matter. */
export function unquoted(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, escaped: string) => (escaped.startsWith("u") && escaped.length === 5 ? String.fromCharCode(parseInt(escaped.slice(1), 16)) : ({ n: "\n", t: "\t" }[escaped] ?? escaped)));
}

/** Rules named by `@SuppressWarnings("flink:missing-uid")` or `@Suppress(…)` in the text of modifiers. */
export function suppressedBy(modifiers: string): string[] {
  return [...modifiers.matchAll(/@(?:file:)?(?:SuppressWarnings|Suppress|nowarn)\s*\(([^)]*)\)/g)].flatMap(([, inside = ""]) => [...inside.matchAll(/"flink:([\w-]+)"/g)].map(([, rule = ""]) => rule));
}
