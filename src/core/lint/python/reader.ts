import type { Edited, SourceFile } from "../language";
import type { SyntaxNode, Unchanged } from "../syntax";
import { descriptorsIn, stateUse } from "./descriptors";
import { ExpressionReader, lastWord } from "./expressionReader";
import type { Block, Chunk, ClassModel, FunctionModel, ImportedName, PythonFacts, Statement } from "./model";
import { maskPython } from "./textMask";

/** Bodies shorter than this are always read: they may make a function, a sink or a name whatever they call. */
const shortBodyLength = 600;
/** Words without which a body has nothing to do with streams. */
const streamWords =
  /\buid\b|_uid\b|\bkey_by\b|\bfrom_source\b|\badd_source\b|\bsink_to\b|\badd_sink\b|\bwindow(?:_all)?\b|\.process\b|\.connect\b|\.union\b|\bbroadcast\b|\w*_?env\b|DataStream|KeyedStream|ConnectedStreams|WindowedStream|_wait\b|\bKafka|\bFileSink\b|\bKinesis|\bPulsar|\.(?:flat_)?map\(|\.filter\(|\.reduce\(|\bimport\b|stream|pipeline/i;
/** Methods that run for each record, inside of an operator. */
const recordMethods = new Set([
  "process_element", "process_element1", "process_element2", "process_broadcast_element", "on_timer", "flat_map", "map", "filter", "reduce", "add", "merge", "get_result", "create_accumulator", "accumulate",
  "get_key", "extract_timestamp", "map1", "map2", "flat_map1", "flat_map2", "async_invoke",
]);

/** Turns the tree of a Python file into facts. What an edit left as it was is taken over. Never throws. */
export function readPython(file: SourceFile, root: SyntaxNode, edited: Edited<PythonFacts> | undefined): PythonFacts {
  const reader = new PythonReader(file.text, root.hasError, edited?.before);
  const chunks = reader.chunks(root, 0);
  const { importedModules, calledNames } = mentions(chunks, root, file.text, edited !== undefined);
  return { path: file.path, chunks, importsFlink: /^\s*(?:from|import)\s+pyflink\b/m.test(file.text), importedModules, calledNames, tooDeep: reader.tooDeep };
}

/** What each chunk of an open file imports and calls, so that an edit need not look at the others. */
const mentioned = new WeakMap<Statement, { readonly imports: readonly string[]; readonly calls: readonly string[] }>();

/** The last words of all modules that are imported, and the names of all that is called. */
function mentions(chunks: readonly Chunk[], root: SyntaxNode, text: string, isOpen: boolean): Pick<PythonFacts, "importedModules" | "calledNames"> {
  const importedModules = new Set<string>();
  const calledNames = new Set<string>();
  const nodes = statementsIn(root);
  chunks.forEach(({ start, statement }, at) => {
    let found = isOpen ? mentioned.get(statement) : undefined;
    if (found === undefined) {
      found = { imports: importsOf(statement), calls: calledIn(text.slice(start, nodes[at]?.endIndex)) };
      if (isOpen) mentioned.set(statement, found);
    }
    for (const name of found.imports) importedModules.add(name);
    for (const name of found.calls) calledNames.add(name);
  });
  return { importedModules: [...importedModules], calledNames };
}

class PythonReader extends ExpressionReader {
  readonly #unchanged: Unchanged | undefined;
  /** Chunks before the edit, by their offset in the file. */
  readonly #before: ReadonlyMap<number, Chunk>;

  constructor(text: string, hasErrors: boolean, before: Edited<PythonFacts>["before"]) {
    super(text, hasErrors);
    this.#unchanged = before?.unchanged;
    this.#before = before === undefined ? new Map() : chunksByOffset(before.facts.chunks);
  }

  chunks(block: SyntaxNode, base: number): readonly Chunk[] {
    const nodes = statementsIn(block);
    return nodes.map((node, index) => {
      const broken = this.hasErrors && (node.hasError || this.#besideError(nodes, index));
      const before = this.#beforeEdit(node);
      const { startIndex } = node;
      const start = startIndex - base;
      if (before?.broken === broken) return before.start === start ? before : { ...before, start };
      const outer = this.base;
      this.base = startIndex;
      const statement = this.#statement(node, broken);
      this.base = outer;
      return { start, broken, statement };
    });
  }

  /** The chunk of a node that the edit left alone. */
  #beforeEdit(node: SyntaxNode): Chunk | undefined {
    if (this.#unchanged === undefined) return undefined;
    const { before, behind, by } = this.#unchanged;
    return node.endIndex < before ? this.#before.get(node.startIndex) : node.startIndex > behind ? this.#before.get(node.startIndex - by) : undefined;
  }

  #block(block: SyntaxNode | null): Block {
    if (block === null) return [];
    const nodes = statementsIn(block);
    return nodes.map((node, index) => this.#statement(node, this.hasErrors && (isSimple(node) && node.hasError || this.#besideError(nodes, index))));
  }

  /** What the parser could not make sense of may have belonged to its neighbour. */
  #besideError(nodes: readonly SyntaxNode[], index: number): boolean {
    return nodes[index + 1]?.isError === true || nodes[index - 1]?.isError === true;
  }

  #statement(node: SyntaxNode, broken: boolean): Statement {
    return this.deeper<Statement>(() => this.#read(node, broken), { s: "expr", value: { k: "unknown" }, broken: true });
  }

  #read(node: SyntaxNode, broken: boolean): Statement {
    switch (node.type) {
      case "expression_statement":
        return this.#simple(node, broken);
      case "return_statement":
        return { s: "return", value: node.namedChildren.length === 0 ? undefined : this.sequence(node.namedChildren), broken };
      case "raise_statement":
      case "continue_statement":
      case "break_statement":
        return { s: "leave" };
      case "import_statement":
      case "import_from_statement":
        return this.#import(node);
      case "if_statement":
        return this.#branches(node);
      case "match_statement": {
        const cases = node.childForFieldName("body")?.namedChildren.filter((child) => child?.type === "case_clause") ?? [];
        return { s: "branches", tests: [this.expr(node.childForFieldName("subject"))], of: cases.map((branch) => this.#block(branch?.childForFieldName("consequence") ?? null)), exhaustive: false, start: node.startIndex - this.base };
      }
      case "for_statement":
      case "while_statement": {
        const body = node.childForFieldName("body");
        const rest = node.childForFieldName("alternative");
        const loop: Statement = {
          s: "loop", target: this.optional(node.childForFieldName("left")), over: this.optional(node.childForFieldName("right") ?? node.childForFieldName("condition")), body: this.#block(body),
        };
        return rest === null ? loop : { s: "blocks", of: [[loop], this.#block(rest.childForFieldName("body"))] };
      }
      case "with_statement":
        return this.#with(node);
      case "try_statement":
        return this.#try(node);
      case "function_definition":
        return this.#function(node, []);
      case "class_definition":
        return this.#class(node);
      case "decorated_definition": {
        const definition = node.childForFieldName("definition");
        const decorators = node.namedChildren.filter((child) => child?.type === "decorator").map((child) => (child === null ? "" : this.slice(child).replace(/^@\s*/, "")));
        if (definition?.type === "function_definition") return this.#function(definition, decorators);
        return definition === null ? { s: "leave" } : this.#class(definition);
      }
      default:
        return { s: "expr", value: { k: "mix", of: this.parts(node) }, broken: broken || node.isError };
    }
  }

  #simple(node: SyntaxNode, broken: boolean): Statement {
    const only = node.namedChildren.length === 1 ? node.namedChildren[0] : undefined;
    if (only?.type === "assignment") {
      const targets = [];
      let value: SyntaxNode | null = only;
      let annotation: string | undefined;
      while (value?.type === "assignment") {
        targets.push(this.expr(value.childForFieldName("left")));
        const type = value.childForFieldName("type");
        if (type !== null) annotation = this.slice(type);
        value = value.childForFieldName("right");
      }
      return { s: "assign", targets, value: this.optional(value), annotation, changes: false, broken };
    }
    if (only?.type === "augmented_assignment") {
      return { s: "assign", targets: [this.expr(only.childForFieldName("left"))], value: this.expr(only.childForFieldName("right")), annotation: undefined, changes: true, broken };
    }
    const value = this.sequence(node.namedChildren);
    return value.k === "call" && /^(?:sys\.)?exit$|^quit$/.test(only === null || only === undefined ? "" : this.slice(only).split("(")[0] ?? "") ? { s: "leave" } : { s: "expr", value, broken };
  }

  #branches(node: SyntaxNode): Statement {
    const tests = [this.expr(node.childForFieldName("condition"))];
    const of = [this.#block(node.childForFieldName("consequence"))];
    let exhaustive = false;
    for (const child of node.namedChildren) {
      if (child?.type === "elif_clause") {
        tests.push(this.expr(child.childForFieldName("condition")));
        of.push(this.#block(child.childForFieldName("consequence")));
      } else if (child?.type === "else_clause") {
        of.push(this.#block(child.childForFieldName("body")));
        exhaustive = true;
      }
    }
    return { s: "branches", tests, of, exhaustive, start: node.startIndex - this.base };
  }

  #with(node: SyntaxNode): Statement {
    const clause = node.namedChildren.find((child) => child?.type === "with_clause");
    const items = (clause?.namedChildren ?? []).flatMap((item) => {
      const value = item?.childForFieldName("value") ?? null;
      if (value?.type !== "as_pattern") return value === null ? [] : [{ value: this.expr(value), target: undefined }];
      const target = value.childForFieldName("alias")?.namedChildren[0] ?? null;
      return [{ value: this.expr(value.namedChildren[0] ?? null), target: this.optional(target) }];
    });
    return { s: "with", items, body: this.#block(node.childForFieldName("body")) };
  }

  /** The handlers stand instead of the rest of the body, so they are branches of their own. */
  #try(node: SyntaxNode): Statement {
    const body = this.#block(node.childForFieldName("body"));
    const of: Block[] = [body];
    const handlers: Block[] = [];
    for (const child of node.namedChildren) {
      const block = child?.namedChildren.find((inner) => inner?.type === "block") ?? null;
      if (child?.type === "except_clause" || child?.type === "except_group_clause") handlers.push(this.#block(block));
      else if (child?.type === "else_clause" || child?.type === "finally_clause") of.push(this.#block(block));
    }
    if (handlers.length > 0) of.splice(1, 0, [{ s: "branches", tests: [], of: handlers, exhaustive: false, start: node.startIndex - this.base }]);
    return { s: "blocks", of };
  }

  #function(node: SyntaxNode, decorators: readonly string[]): FunctionModel {
    const nameNode = node.childForFieldName("name");
    const name = nameNode === null ? "" : this.slice(nameNode);
    const body = node.childForFieldName("body");
    const returns = node.childForFieldName("return_type");
    const text = body === null ? "" : this.slice(body);
    const matters = text.length <= shortBodyLength || (recordMethods.has(name) ? /\buid\b|key_by|_source\b|sink_to/.test(text) : streamWords.test(text));
    return {
      s: "function", name, params: this.params(node.childForFieldName("parameters")), returns: returns === null ? undefined : this.slice(returns), decorators,
      body: matters ? this.#block(body) : undefined,
    };
  }

  #class(node: SyntaxNode): ClassModel {
    const name = node.childForFieldName("name");
    const bases = (node.childForFieldName("superclasses")?.namedChildren ?? []).flatMap((base) => (base === null || base.type === "keyword_argument" || base.type === "comment" ? [] : [this.slice(base).replace(/\[[\s\S]*$/, "").trim()]));
    const masked = maskPython(this.slice(node));
    const shift = node.startIndex - this.base;
    const moved = <T extends { start: number; end: number }>(span: T): { start: number; end: number } => ({ start: span.start + shift, end: span.end + shift });
    const use = stateUse(masked);
    const body = node.childForFieldName("body");
    return {
      s: "class", name: name === null ? "" : this.slice(name), bases,
      members: body === null ? [] : this.chunks(body, this.base),
      asksForState: use !== undefined,
      stateAt: use === undefined ? undefined : moved(use),
      descriptors: use === undefined ? [] : descriptorsIn(masked).map((one) => ({ ...one, at: moved(one.at), nameAt: moved(one.nameAt) })),
    };
  }

  #import(node: SyntaxNode): Statement {
    const module = node.childForFieldName("module_name");
    const names: ImportedName[] = [];
    for (const child of node.namedChildren) {
      if (child === null || child.id === module?.id) continue;
      if (child.type === "wildcard_import") names.push({ name: "*", as: "*" });
      else if (child.type === "aliased_import") {
        const name = child.childForFieldName("name");
        const alias = child.childForFieldName("alias");
        names.push({ name: name === null ? "" : this.slice(name), as: alias === null ? "" : this.slice(alias) });
      } else if (child.type === "dotted_name") names.push({ name: this.slice(child), as: this.slice(child) });
    }
    return { s: "import", module: module === null ? undefined : this.slice(module).replace(/\s+/g, ""), names };
  }
}

/** Names before a parenthesis, but not those that are defined there. */
function calledIn(text: string): readonly string[] {
  const names = new Set<string>();
  for (const [, name] of text.matchAll(/\b(?:def|class)\s+\w+|\b([A-Za-z_]\w*)\(/g)) if (name !== undefined) names.add(name);
  return [...names];
}

function statementsIn(block: SyntaxNode): readonly SyntaxNode[] {
  return block.namedChildren.filter(({ type }) => type !== "comment");
}

function isSimple(node: SyntaxNode): boolean {
  return node.type === "expression_statement" || node.type === "return_statement" || node.isError;
}

/** Chunks by their offset in the file, those inside of classes included. A decorated class begins with its decorators, so no two begin at one place. */
function chunksByOffset(chunks: readonly Chunk[], base = 0, into = new Map<number, Chunk>()): Map<number, Chunk> {
  for (const chunk of chunks) {
    into.set(base + chunk.start, chunk);
    if (chunk.statement.s === "class") chunksByOffset(chunk.statement.members, base + chunk.start, into);
  }
  return into;
}

/** The last words of all modules imported, at any depth of `try` and `if`. */
function importsOf(within: Statement): readonly string[] {
  const found = new Set<string>();
  const visit = (statement: Statement): void => {
    if (statement.s === "import") {
      if (statement.module !== undefined) found.add(lastWord(statement.module));
      for (const { name } of statement.names) found.add(lastWord(name));
    } else if (statement.s === "branches" || statement.s === "blocks") statement.of.forEach((block) => block.forEach(visit));
    else if (statement.s === "with" || statement.s === "loop") statement.body.forEach(visit);
    else if (statement.s === "function") statement.body?.forEach(visit);
    else if (statement.s === "class") statement.members.forEach((member) => visit(member.statement));
  };
  visit(within);
  return [...found].filter((name) => name !== "" && name !== "*");
}
