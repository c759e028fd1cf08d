import type { Edited } from "../language";
import type { SyntaxNode } from "../syntax";
import type { ClassFeatures, ClassModel, Expr, FileModel, FunctionModel, ReadNodes, Span, TypeName } from "./model";
import { typeOf } from "./typeText";

/** Deeper nested code is not followed, so that no input overflows the stack. */
const depthLimit = 300;
/** The same for classes within classes. */
const classDepthLimit = 50;
const nothingIn: Omit<ReadClass, "span"> = {
  name: "", kind: "class", supers: [], params: [], fields: [], functions: [], initial: [], classes: [], constants: [], features: { keyedState: false, operatorState: false, emptyInitialize: false, stateAt: undefined }, suppressed: [],
};
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
/** Calls that make operators of what a field holds, but have other uses too. */
const operatorWords = /\b(?:sum|min|max|minBy|maxBy|aggregate|fold|apply|select|flatSelect|print)\b/;
/** Classes whose methods run for each record, inside of an operator. */
const recordClass = /(?:Function|Selector|Assigner|Schema|Serializer|Deserializer|Encoder|Strategy)$/;
/** Words without which one of their methods builds no streams. */
const buildingWords = /\b(?:uid|Uid|setUid|withUid|setUidHash|env|Env|keyBy|sinkTo|addSink|addSource|fromSource|getExecutionEnvironment|StreamExecutionEnvironment|\w*DataStream\w*|SingleOutputStreamOperator|KeyedStream)\b/;
/** Asks for keyed state, or names a descriptor. */
const keyedStateWords = /\bget(?:Partitioned)?(?:State|ListState|MapState|ReducingState|AggregatingState|FoldingState)\s*[([]|\w+StateDescriptor\b|\bgetKeyedStateStore\b|\bkeyedStateStore\b|\bregister(?:Event|Processing)TimeTimer\s*\(/;
const operatorStateWords = /\bgetOperatorStateStore\b|\boperatorStateStore\b|\bget(?:Union)?ListState\s*[([]/;
const stateDeclaration = /(?:\w+StateDescriptor|\b(?:Value|List|Map|Reducing|Aggregating)State)\s*[<[(]/;

/** A member as a front end reads it; its place and what it calls are added. */
export type ReadMember = Omit<FunctionModel, "base" | "skimmed" | "builds" | "calls">;
/** A class as a front end reads it. */
export type ReadClass = Omit<ClassModel, "base">;

/** What the front ends of the three languages share: places, depth, errors, and which bodies are worth reading. */
export class TreeReader {
  readonly text: string;
  /** Offsets count from here. */
  base = 0;
  /** Names that members call. */
  readonly called = new Set<string>();
  #depth = 0;
  #classDepth = 0;
  #inside = false;
  #ofRecords = false;
  readonly #hasErrors: boolean;
  /** Whether a name alone may call a method, as in Scala. */
  readonly #bareCalls: boolean;
  readonly #before: Edited<FileModel>["before"];
  readonly #members = new Map<number, FunctionModel>();
  readonly #classes = new Map<number, { readonly cls: ClassModel; readonly inside: readonly number[] }>();
  /** Starts of what was read in the classes at hand, the innermost last. */
  readonly #insides: number[][] = [];

  constructor(text: string, root: SyntaxNode, before: Edited<FileModel>["before"], bareCalls: boolean) {
    this.text = text;
    this.#bareCalls = bareCalls;
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
    if (this.#ofRecords) return buildingWords.test(this.slice(node));
    return node.endIndex - node.startIndex <= shortBodyLength || streamWords.test(this.slice(node));
  }

  /** Reads what a class holds: in one whose methods run for each record hardly any matters. */
  holding<T>(supers: readonly TypeName[], read: () => T): T {
    const outer = this.#ofRecords;
    this.#ofRecords = supers.some(({ name }) => recordClass.test(name));
    try {
      return read();
    } finally {
      this.#ofRecords = outer;
    }
  }

  /**
   * A member of a file or a class. Its offsets count from its own start, and one that an edit left alone is taken over, with its new place. A
   * member inside of another one's body counts with that one and has the base -1.
   */
  member(node: SyntaxNode, read: () => ReadMember): FunctionModel {
    if (this.#inside) return { ...read(), base: -1, skimmed: false, builds: true, calls: [] };
    const { startIndex } = node;
    const old = this.#oldStart(node);
    const known = old === undefined ? undefined : this.#before?.facts.nodes?.members.get(old);
    // What is read of a body depends on the class it is in.
    const before = known !== undefined && (known.body === undefined ? known.skimmed === this.#ofRecords : !this.#ofRecords) ? known : undefined;
    this.base = startIndex;
    this.#inside = true;
    try {
      const fun = before === undefined ? this.#withCalls(node, read()) : before.base === startIndex ? before : { ...before, base: startIndex };
      this.#note(fun, startIndex);
      return fun;
    } finally {
      this.base = 0;
      this.#inside = false;
    }
  }

  #withCalls(node: SyntaxNode, read: ReadMember): FunctionModel {
    if (read.body === undefined) return { ...read, base: this.base, skimmed: this.#ofRecords, builds: false, calls: [] };
    const text = this.slice(node);
    return { ...read, base: this.base, skimmed: false, builds: streamWords.test(text) || operatorWords.test(text), calls: callsIn(text, read.name, this.#bareCalls) };
  }

  #note(fun: FunctionModel, startIndex: number): void {
    this.#members.set(startIndex, fun);
    this.#insides.at(-1)?.push(startIndex);
    for (const name of fun.calls) this.called.add(name);
  }

  /** A class with its members; one that an edit left alone is taken over whole, and one that is nested too deeply has none. */
  declared(node: SyntaxNode, read: () => ReadClass): ClassModel {
    if (this.#classDepth >= classDepthLimit) return { ...nothingIn, base: this.#inside ? -1 : 0, span: this.span(node) };
    this.#classDepth++;
    try {
      return this.#declared(node, read);
    } finally {
      this.#classDepth--;
    }
  }

  #declared(node: SyntaxNode, read: () => ReadClass): ClassModel {
    if (this.#inside) return { ...read(), base: -1 };
    const { startIndex } = node;
    const old = this.#oldStart(node);
    const before = old === undefined ? undefined : this.#before?.facts.nodes?.classes.get(old);
    if (before !== undefined) return this.#again(before, startIndex);
    const inside: number[] = [];
    this.#insides.push(inside);
    const cls = { ...read(), base: 0 };
    this.#insides.pop();
    this.#classes.set(startIndex, { cls, inside: inside.map((at) => at - startIndex) });
    this.#insides.at(-1)?.push(startIndex, ...inside);
    return cls;
  }

  #again({ cls, inside }: { readonly cls: ClassModel; readonly inside: readonly number[] }, startIndex: number): ClassModel {
    const by = startIndex - cls.span.start;
    const again = moved(cls, by);
    const visit = (one: ClassModel): void => {
      this.#classes.set(one.span.start, { cls: one, inside: one === again ? inside : (this.#before?.facts.nodes?.classes.get(one.span.start - by)?.inside ?? []) });
      one.classes.forEach(visit);
    };
    visit(again);
    for (const at of inside) {
      const fun = this.#before?.facts.nodes?.members.get(cls.span.start + at);
      if (fun !== undefined) this.#note(fun.base === startIndex + at ? fun : { ...fun, base: startIndex + at }, startIndex + at);
      else this.#insides.at(-1)?.push(startIndex + at);
    }
    this.#insides.at(-1)?.push(startIndex);
    return again;
  }

  /** Where a node was before the edit, when that left it alone. */
  #oldStart(node: SyntaxNode): number | undefined {
    if (this.#before === undefined) return undefined;
    const { before, behind, by } = this.#before.unchanged;
    return node.endIndex < before ? node.startIndex : node.startIndex > behind ? node.startIndex - by : undefined;
  }

  /** What was read, for the next edit. */
  get nodes(): ReadNodes {
    return { members: this.#members, classes: this.#classes };
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

/** Words before a parenthesis, a brace or a bracket that call nothing. */
const keywords = new Set(["if", "for", "while", "switch", "catch", "when", "match", "try", "else", "do", "return", "yield", "synchronized", "throw", "finally", "super", "this"]);

/** Names that a member calls, but not its own, where it is declared. */
function callsIn(text: string, own: string, bareCalls: boolean): string[] {
  const names = new Set<string>();
  let declared = false;
  for (const [, name = ""] of text.matchAll(/\b([A-Za-z_]\w*)\s*[({[]/g)) {
    if (name === own && !declared) declared = true;
    else if (!keywords.has(name)) names.add(name);
  }
  // A name that ends a line, or that something is called on.
  if (bareCalls) for (const [, ends, begins] of text.matchAll(/(?:^|[=.({}]|\breturn)[ \t]*([a-z]\w*)[ \t]*\r?$|(?:^|[=({}])[ \t]*([a-z]\w*)(?=\.)/gm)) names.add(ends ?? begins ?? "");
  return [...names];
}

/** The class as it is some characters further on; itself where it has not moved. */
function moved(cls: ClassModel, by: number): ClassModel {
  if (by === 0) return cls;
  const further = <T extends { readonly base: number }>(member: T): T => ({ ...member, base: member.base + by });
  return {
    ...cls, span: { start: cls.span.start + by, end: cls.span.end + by }, fields: cls.fields.map(further), functions: cls.functions.map(further), initial: cls.initial.map(further), classes: cls.classes.map((inner) => moved(inner, by)),
  };
}

/** The children of a node that are named and there. */
export function named(node: SyntaxNode): SyntaxNode[] {
  return node.namedChildren.filter((child): child is SyntaxNode => child !== null && !isComment(child));
}

/** Every child that is there, tokens included. */
export function all(node: SyntaxNode): SyntaxNode[] {
  return node.children.filter((child): child is SyntaxNode => child !== null);
}

/** Whether a node is a comment, in any of the three languages. */
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
