import type { SyntaxNode } from "../syntax";
import type { Argument, Expr, Param } from "./model";

/** Deeper nested code is not followed, so that no input overflows the stack. */
const depthLimit = 400;

/** Reads expressions; the part of the reader that statements build on. */
export class ExpressionReader {
  readonly text: string;
  readonly hasErrors: boolean;
  /** Offsets count from here. */
  base = 0;
  tooDeep = false;
  #depth = 0;

  constructor(text: string, hasErrors: boolean) {
    this.text = text;
    this.hasErrors = hasErrors;
  }

  slice(node: SyntaxNode): string {
    return this.text.slice(node.startIndex, node.endIndex);
  }

  /** Reads one level deeper, or gives `instead` when that is too deep. */
  deeper<T>(read: () => T, instead: T): T {
    if (this.#depth >= depthLimit) {
      this.tooDeep = true;
      return instead;
    }
    this.#depth++;
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }

  optional(node: SyntaxNode | null): Expr | undefined {
    return node === null ? undefined : this.expr(node);
  }

  expr(node: SyntaxNode | null): Expr {
    return node === null ? unknown : this.deeper(() => this.#read(node), unknown);
  }

  /** One expression, or the tuple of several. */
  sequence(nodes: readonly (SyntaxNode | null)[]): Expr {
    const real = nodes.filter((node): node is SyntaxNode => node !== null && node.type !== "comment");
    return real.length === 1 ? this.expr(real[0] ?? null) : { k: "list", items: real.map((node) => this.expr(node)) };
  }

  parts(node: SyntaxNode): Expr[] {
    return node.namedChildren.flatMap((child) => (child === null || child.type === "comment" ? [] : [this.expr(child)]));
  }

  params(node: SyntaxNode | null): readonly Param[] {
    return (node?.namedChildren ?? []).flatMap((child): Param[] => {
      if (child === null) return [];
      const typed = child.type === "typed_parameter" ? child.namedChildren[0] ?? child : child;
      const nameNode = child.childForFieldName("name") ?? (typed.type === "identifier" ? typed : typed.namedChildren[0] ?? typed);
      const spread = typed.type === "list_splat_pattern" ? "*" : typed.type === "dictionary_splat_pattern" ? "**" : "";
      if (nameNode.type !== "identifier") return [];
      const type = child.childForFieldName("type");
      return [{ name: this.slice(nameNode), annotation: type === null ? undefined : this.slice(type), initial: this.optional(child.childForFieldName("value")), spread }];
    });
  }

  #read(node: SyntaxNode): Expr {
    switch (node.type) {
      case "identifier":
        return { k: "name", id: this.slice(node) };
      case "call":
        return this.#call(node);
      case "attribute": {
        const name = node.childForFieldName("attribute");
        return { k: "attr", of: this.expr(node.childForFieldName("object")), name: name === null ? "" : this.slice(name) };
      }
      case "string":
        return this.#text([node], node);
      case "concatenated_string":
        return this.#text(node.namedChildren, node);
      case "none":
        return { k: "none" };
      case "true":
      case "false":
        return { k: "bool", value: node.type === "true" };
      case "integer":
      case "float":
        return { k: "number", value: this.slice(node) };
      case "parenthesized_expression":
      case "await":
      case "expression_list":
      case "as_pattern_target":
        return this.sequence(node.namedChildren);
      case "conditional_expression": {
        const [yes, test, no] = this.parts(node);
        return { k: "either", of: [yes ?? unknown, no ?? unknown], tests: test === undefined ? [] : [test] };
      }
      case "boolean_operator":
        return { k: "either", of: [this.expr(node.childForFieldName("left")), this.expr(node.childForFieldName("right"))], tests: [] };
      case "list":
      case "tuple":
      case "set":
      case "pattern_list":
      case "tuple_pattern":
      case "list_pattern":
        return { k: "list", items: this.parts(node) };
      case "dictionary": {
        const pairs = node.namedChildren.filter((child): child is SyntaxNode => child !== null && child.type !== "comment");
        return {
          k: "dict",
          keys: pairs.map((pair) => this.optional(pair.childForFieldName("key"))),
          values: pairs.map((pair) => this.expr(pair.childForFieldName("value") ?? pair.namedChildren[0] ?? null)),
        };
      }
      case "list_comprehension":
      case "set_comprehension":
      case "generator_expression":
      case "dictionary_comprehension": {
        const loops = node.namedChildren.flatMap((child) => (child?.type === "for_in_clause" ? [{ target: this.expr(child.childForFieldName("left")), over: this.expr(child.childForFieldName("right")) }] : []));
        return { k: "each", loops, body: this.expr(node.childForFieldName("body")) };
      }
      case "pair":
        return this.expr(node.childForFieldName("value"));
      case "subscript":
        return { k: "index", of: this.expr(node.childForFieldName("value")), at: this.expr(node.childForFieldName("subscript")) };
      case "lambda":
        return { k: "lambda", start: node.startIndex - this.base, end: node.endIndex - this.base, params: this.params(node.childForFieldName("parameters")), body: this.expr(node.childForFieldName("body")) };
      case "named_expression": {
        const name = node.childForFieldName("name");
        return { k: "walrus", id: name === null ? "" : this.slice(name), value: this.expr(node.childForFieldName("value")) };
      }
      default:
        return node.isError ? unknown : { k: "mix", of: this.parts(node) };
    }
  }

  #call(node: SyntaxNode): Expr {
    const calleeNode = node.childForFieldName("function");
    const callee = this.expr(calleeNode);
    const name = calleeNode?.type === "attribute" ? calleeNode.childForFieldName("attribute") : calleeNode;
    const list = node.childForFieldName("arguments");
    const argNodes = list?.type === "argument_list" ? list.namedChildren : [list];
    const args = argNodes.flatMap((arg): Argument[] => {
      if (arg === null || arg.type === "comment") return [];
      if (arg.type === "keyword_argument") {
        const key = arg.childForFieldName("name");
        return [{ name: key === null ? undefined : this.slice(key), spread: false, value: this.expr(arg.childForFieldName("value")) }];
      }
      if (arg.type === "list_splat" || arg.type === "dictionary_splat") return [{ name: undefined, spread: true, value: this.expr(arg.namedChildren[0] ?? null) }];
      return [{ name: undefined, spread: false, value: this.expr(arg) }];
    });
    const span = (of: SyntaxNode | null | undefined): { start: number; end: number } => ({ start: (of ?? node).startIndex - this.base, end: (of ?? node).endIndex - this.base });
    return { k: "call", callee, args, at: span(name), argsAt: span(list), ...span(node) };
  }

  #text(strings: readonly (SyntaxNode | null)[], whole: SyntaxNode): Expr {
    const parts: Expr[] = [];
    let value = "";
    for (const string of strings) {
      if (string?.type !== "string") {
        if (string !== null && string.type !== "comment") parts.push(this.expr(string));
        continue;
      }
      for (const piece of string.namedChildren) {
        if (piece?.type === "interpolation") parts.push(this.expr(piece.childForFieldName("expression")));
        else if (piece?.type === "string_content") value += this.slice(piece);
      }
    }
    return { k: "text", start: whole.startIndex - this.base, end: whole.endIndex - this.base, value: parts.length === 0 ? value : undefined, parts };
  }
}

const unknown: Expr = { k: "unknown" };

/** The last word of a dotted name. */
export function lastWord(dotted: string): string {
  return dotted.slice(dotted.lastIndexOf(".") + 1);
}
