import type { SyntaxNode } from "../syntax";
import { statementsOfBlock, type Declarations } from "./javaReader";
import type { ClassModel, Expr, FieldModel, FunctionModel, Param, Span, TypeName } from "./model";
import { all, named, suppressedBy, unquoted, type ReadClass, type ReadMember, type TreeReader } from "./treeReader";
import { namesOfParts, unpacked } from "./holders";
import { arrayOf, typeOf } from "./typeText";

/** Reads a Kotlin file (tree-sitter-kotlin 1.1 of tree-sitter-grammars, which names few of its fields). */
export function readKotlin(reader: TreeReader, root: SyntaxNode): Declarations {
  const into: Declarations = { packageName: "", imports: new Map(), wildcards: [], classes: [], functions: [], fields: [], initial: [] };
  for (const node of named(root)) {
    if (node.type === "package_header") into.packageName = reader.slice(node).replace(/^package\s+|[;\s]/g, "");
    else if (node.type === "import") {
      const [path = "", alias] = reader.slice(node).replace(/^import\s+|;/g, "").trim().split(/\s+as\s+/);
      if (path.endsWith(".*")) into.wildcards.push(path.slice(0, -2));
      else into.imports.set(alias ?? path.slice(path.lastIndexOf(".") + 1), path);
    } else memberInto(reader, node, into);
  }
  return into;
}

type Members = Pick<Declarations, "classes" | "functions" | "fields" | "initial">;

function memberInto(reader: TreeReader, node: SyntaxNode, into: Members): void {
  if (node.type === "class_declaration" || node.type === "object_declaration") into.classes.push(classOf(reader, node));
  else if (node.type === "companion_object") {
    // What a companion holds is reached through the class's own name.
    const companion = classOf(reader, node);
    into.fields.push(...companion.fields);
    into.functions.push(...companion.functions);
    into.classes.push(...companion.classes);
  } else if (node.type === "function_declaration" || node.type === "secondary_constructor") into.functions.push(functionOf(reader, node));
  else if (node.type === "property_declaration") into.fields.push(fieldOf(reader, node));
  else if (node.type === "anonymous_initializer") into.initial.push(reader.member(node, () => initialOf(reader, node, named(node).at(-1) ?? node)));
}

function classOf(reader: TreeReader, node: SyntaxNode): ClassModel {
  return reader.declared(node, () => readClass(reader, node));
}

function readClass(reader: TreeReader, node: SyntaxNode): ReadClass {
  const children = named(node);
  const body = children.find(({ type }) => type === "class_body" || type === "enum_class_body");
  const params = children.find(({ type }) => type === "primary_constructor");
  const into: Members = { classes: [], functions: [], fields: [], initial: [] };
  const constants: { name: string; args: Expr[] }[] = [];
  const supers = supersOf(reader, node);
  reader.holding(supers, () => {
    for (const member of body === undefined ? [] : named(body)) {
      if (member.type === "enum_entry") constants.push({ name: reader.slice(named(member).find(({ type }) => type === "identifier") ?? member), args: argsOf(reader, named(member).find(({ type }) => type === "value_arguments")) });
      else memberInto(reader, member, into);
    }
  });
  const name = node.childForFieldName("name");
  return {
    name: name === null ? "" : reader.slice(name),
    kind: node.type === "object_declaration" || node.type === "companion_object" ? "object" : body?.type === "enum_class_body" ? "enum" : node.type === "object_literal" ? "anonymous" : all(node).some(({ type }) => type === "interface") ? "interface" : "class",
    supers,
    params: params === undefined ? [] : named(params).flatMap(named).filter(({ type }) => type === "class_parameter").map((param) => paramOf(reader, param)),
    ...into,
    constants,
    features: reader.features(node, supers),
    suppressed: suppressedBy(modifiersOf(reader, node)),
    span: reader.span(node),
  };
}

function supersOf(reader: TreeReader, node: SyntaxNode): TypeName[] {
  const list = named(node).find(({ type }) => type === "delegation_specifiers");
  return list === undefined ? [] : named(list).flatMap((specifier) => {
    const first = named(specifier)[0] ?? specifier;
    return reader.type(first.type === "constructor_invocation" ? named(first)[0] : first) ?? [];
  });
}

function modifiersOf(reader: TreeReader, node: SyntaxNode): string {
  return named(node).filter(({ type }) => type === "modifiers").map((child) => reader.slice(child)).join(" ");
}

function initialOf(reader: TreeReader, node: SyntaxNode, body: SyntaxNode): ReadMember {
  return {
    name: "", params: [], receiver: undefined, returns: undefined, body: reader.matters(body) ? expr(reader, body) : undefined, hasBody: true,
    span: reader.span(node), suppressed: [],
  };
}

function fieldOf(reader: TreeReader, node: SyntaxNode): FieldModel {
  const variable = named(node).find(({ type }) => type === "variable_declaration");
  const parts = variable === undefined ? [] : named(variable);
  const value = valueOf(node);
  const holder = reader.member(value ?? node, () => ({ ...initialOf(reader, node, node), body: value === undefined ? undefined : expr(reader, value) }));
  return {
    name: parts[0] === undefined ? "" : reader.slice(parts.find(({ type }) => type === "identifier") ?? parts[0]),
    type: reader.type(parts.find(({ type }) => type.endsWith("type"))),
    value: holder.body,
    base: holder.base,
  };
}

/** The value of a property: behind `=`, in `by lazy { … }`, or of its getter. */
function valueOf(node: SyntaxNode): SyntaxNode | undefined {
  const children = all(node);
  const equals = children.findIndex(({ type }) => type === "=");
  if (equals !== -1) return children.slice(equals + 1).find(({ isNamed, type }) => isNamed && !type.endsWith("comment"));
  const delegate = children.find(({ type }) => type === "property_delegate");
  if (delegate !== undefined) {
    const call = named(delegate)[0];
    const lambda = call === undefined ? undefined : named(call).find(({ type }) => type === "annotated_lambda");
    return lambda === undefined ? call : (named(lambda)[0] ?? call);
  }
  const getter = children.find(({ type }) => type === "getter");
  return getter === undefined ? undefined : named(getter).find(({ type }) => type === "function_body");
}

function functionOf(reader: TreeReader, node: SyntaxNode): FunctionModel {
  return reader.member(node, () => {
    const children = named(node);
    const body = children.find(({ type }) => type === "function_body" || (node.type === "secondary_constructor" && type === "block"));
    const params = children.findIndex(({ type }) => type === "function_value_parameters");
    const modifiers = modifiersOf(reader, node);
    const list = children[params];
    const head = reader.text.slice(node.startIndex, list?.startIndex ?? node.endIndex);
    const { name, receiver } = headOf(head);
    const returns = children.slice(params + 1).find(({ type }) => type.endsWith("type"));
    return {
      name: node.type === "secondary_constructor" ? "<init>" : name,
      params: list === undefined ? [] : paramListOf(reader, list),
      receiver: receiver === undefined ? undefined : { name: "this", type: receiver, initial: undefined },
      returns: reader.type(returns) ?? (body !== undefined && reader.slice(body).startsWith("{") ? { name: "Unit", written: "Unit", args: [] } : undefined),
      body: body !== undefined && reader.matters(body) ? expr(reader, body) : undefined,
      hasBody: body !== undefined,
      span: reader.span(node),
      suppressed: suppressedBy(modifiers),
    };
  });
}

/** `fun <T> DataStream<T>.withUid`: the grammar takes the name for a part of a generic receiver's type, so the text is read instead. */
function headOf(head: string): { name: string; receiver: TypeName | undefined } {
  const declared = head.slice(head.search(/\bfun\b/) + 3).trim();
  const behind = declared.startsWith("<") ? declared.slice(closing(declared) + 1).trim() : declared;
  const name = /([\w$]+|`[^`]+`)\s*$/.exec(behind)?.[1] ?? "";
  const receiver = behind.slice(0, behind.lastIndexOf(name)).trim().replace(/\??\.$/, "");
  return { name: name.replaceAll("`", ""), receiver: receiver === "" ? undefined : typeOf(receiver) };
}

function closing(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "<") depth++;
    else if (text[at] === ">" && --depth === 0) return at;
  }
  return 0;
}

function paramListOf(reader: TreeReader, list: SyntaxNode): Param[] {
  const params: Param[] = [];
  let many = false;
  for (const child of named(list)) {
    if (child.type === "parameter_modifiers") many = /\bvararg\b/.test(reader.slice(child));
    else if (child.type === "parameter") {
      const param = paramOf(reader, child);
      params.push(many ? { ...param, ...arrayOf(param.type) } : param);
      many = false;
    } else if (params.length > 0) {
      const last = params.pop();
      if (last !== undefined) params.push({ ...last, initial: expr(reader, child) });
    }
  }
  return params;
}

function paramOf(reader: TreeReader, node: SyntaxNode): Param {
  const children = named(node);
  const at = children.findIndex(({ type }) => type === "identifier");
  const type = children.slice(at + 1).find((child) => child.type.endsWith("type"));
  return { name: at === -1 ? "" : reader.slice(children[at] ?? node), type: reader.type(type), initial: undefined };
}

function argsOf(reader: TreeReader, list: SyntaxNode | undefined): Expr[] {
  return list === undefined ? [] : named(list).filter(({ type }) => type === "value_argument").flatMap((arg) => {
    const value = named(arg).at(-1);
    return value === undefined ? [] : [expr(reader, value)];
  });
}

function expr(reader: TreeReader, node: SyntaxNode): Expr {
  return reader.deeper(node, () => exprOf(reader, node));
}

function blockOf(reader: TreeReader, node: SyntaxNode, nodes: readonly SyntaxNode[]): Expr {
  return { kind: "block", ...reader.span(node), body: statementsOfBlock(reader, nodes, (child) => expr(reader, child)) };
}

function exprOf(reader: TreeReader, node: SyntaxNode): Expr {
  const span = reader.span(node);
  const children = named(node);
  const [first, second] = children;
  const nothing: Expr = { kind: "other", ...span, parts: [] };
  const read = (child: SyntaxNode | undefined): Expr => (child === undefined ? nothing : expr(reader, child));
  switch (node.type) {
    case "call_expression": {
      const call = callOf(reader, node, children);
      return reader.broken(node) ? { kind: "broken", value: call, ...span } : call;
    }
    case "navigation_expression": {
      if (all(node).some(({ type }) => type === "::")) return { kind: "methodRef", ...span, object: read(first), name: reader.slice(children.at(-1) ?? node) };
      const name = children.at(-1) ?? node;
      const call: Expr = { kind: "call", ...span, receiver: read(first), name: reader.slice(name), nameSpan: reader.span(name), args: [], typeArgs: [], bare: true, infix: false };
      return reader.broken(node) ? { kind: "broken", value: call, ...span } : call;
    }
    case "callable_reference":
      return { kind: "methodRef", ...span, object: undefined, name: reader.slice(children.at(-1) ?? node) };
    case "identifier":
      return { kind: "name", ...span, name: reader.slice(node).replaceAll("`", "") };
    case "this_expression":
    case "super_expression":
      return { kind: "this", ...span };
    case "string_literal":
    case "multiline_string_literal":
      return textOf(reader, node, children);
    case "null_literal":
    case "null":
      return { kind: "null", ...span };
    case "number_literal":
      return { kind: "number", ...span, value: reader.slice(node) };
    case "binary_expression":
    case "additive_expression": {
      const operator = all(node).find((child) => !child.isNamed);
      const text = operator === undefined ? "" : reader.slice(operator);
      if (text === "?:") return { kind: "choice", ...span, branches: children.map((child) => expr(reader, child)), loop: false };
      return { kind: "binary", ...span, operator: text, parts: children.map((child) => expr(reader, child)) };
    }
    case "infix_expression": {
      const [left, name, right] = children;
      if (name === undefined) return nothing;
      return { kind: "call", ...span, receiver: read(left), name: reader.slice(name), nameSpan: reader.span(name), args: right === undefined ? [] : [expr(reader, right)], typeArgs: [], bare: false, infix: true };
    }
    case "parenthesized_expression":
    case "annotated_expression":
      return read(children.at(-1));
    case "unary_expression":
      return read(children.find(({ type }) => type !== "annotation"));
    case "as_expression": {
      const type = children.at(-1);
      return { kind: "cast", ...span, type: reader.type(type) ?? { name: "", written: "", args: [] }, value: read(first) };
    }
    case "lambda_literal":
    case "annotated_lambda": {
      const literal = node.type === "annotated_lambda" ? (children.find(({ type }) => type === "lambda_literal") ?? node) : node;
      return lambdaOf(reader, literal);
    }
    case "anonymous_function": {
      const list = children.find(({ type }) => type === "function_value_parameters");
      return { kind: "lambda", ...span, params: list === undefined ? [] : paramListOf(reader, list), body: read(children.find(({ type }) => type === "function_body")) };
    }
    case "object_literal": {
      const cls = classOf(reader, node);
      return { kind: "new", ...span, type: cls.supers[0] ?? { name: "", written: "", args: [] }, args: [], body: cls };
    }
    case "function_body":
      return first === undefined ? { kind: "block", ...span, body: [] } : reader.slice(node).startsWith("=") ? reader.guarded(node, () => expr(reader, first)) : expr(reader, first);
    case "block":
    case "control_structure_body":
      return blockOf(reader, node, all(node).filter((child) => child.isNamed));
    case "property_declaration":
      return reader.guarded(node, () => letOf(reader, node));
    case "assignment":
      return reader.guarded(node, () => ({ kind: "assign", ...span, target: read(first), value: read(second) }));
    case "return_expression":
      return reader.guarded(node, () => ({ kind: "return", ...span, value: children.length === 0 ? undefined : read(children.at(-1)) }));
    case "if_expression": {
      const condition = node.childForFieldName("condition");
      const rest = children.filter((child) => child.id !== condition?.id);
      const branches = rest.map((child) => expr(reader, child));
      return { kind: "block", ...span, body: [...(condition === null ? [] : [expr(reader, condition)]), { kind: "choice", ...span, branches: branches.length === 1 ? [...branches, nothing] : branches, loop: false }] };
    }
    case "when_expression": {
      const subject = children.find(({ type }) => type === "when_subject");
      const branches = children.filter(({ type }) => type === "when_entry").map((entry) => read(named(entry).at(-1)));
      return { kind: "block", ...span, body: [...(subject === undefined ? [] : named(subject).map((child) => expr(reader, child))), { kind: "choice", ...span, branches, loop: false }] };
    }
    case "index_expression":
      return { kind: "call", ...span, receiver: read(first), name: "get", nameSpan: span, args: children.slice(1).map((child) => expr(reader, child)), typeArgs: [], bare: false, infix: false };
    case "for_statement": {
      const several = children.find(({ type }) => type === "multi_variable_declaration");
      const variable = children.find(({ type }) => type === "variable_declaration");
      const rest = children.filter((child) => child !== variable && child !== several);
      const [source, body] = rest;
      if (several !== undefined) return { kind: "choice", ...span, loop: true, branches: [{ kind: "block", ...span, body: [...unpacked(span, reader.slice(several), namesIn(reader, several), read(source), true), read(body)] }] };
      const bound: Expr = { kind: "let", ...span, name: variable === undefined ? "" : reader.slice(named(variable)[0] ?? variable), type: undefined, value: read(source), element: true, changes: false };
      return { kind: "choice", ...span, loop: true, branches: [{ kind: "block", ...span, body: [bound, read(body)] }] };
    }
    case "while_statement":
    case "do_while_statement":
      return { kind: "choice", ...span, loop: true, branches: [{ kind: "block", ...span, body: children.map((child) => expr(reader, child)) }] };
    case "try_expression": {
      const catches = children.filter(({ type }) => type === "catch_block").map((clause) => read(named(clause).at(-1)));
      const last = children.filter(({ type }) => type === "finally_block").map((clause) => read(named(clause).at(-1)));
      const body = read(first);
      return { kind: "block", ...span, body: [{ kind: "choice", ...span, branches: [body, ...catches], loop: false }, ...last] };
    }
    case "function_declaration":
      return { kind: "function", ...span, fun: functionOf(reader, node) };
    case "class_declaration":
    case "object_declaration":
      return { kind: "class", ...span, cls: classOf(reader, node) };
    default:
      return { kind: "other", ...span, parts: node.type.endsWith("type") ? [] : children.map((child) => expr(reader, child)) };
  }
}

function callOf(reader: TreeReader, node: SyntaxNode, children: readonly SyntaxNode[]): Expr {
  const span = reader.span(node);
  const callee = children[0];
  if (callee === undefined) return { kind: "other", ...span, parts: [] };
  const args = argsOf(reader, children.find(({ type }) => type === "value_arguments"));
  const trailing = children.filter((child) => child.type === "annotated_lambda" && child !== callee).map((child) => expr(reader, child));
  const typeArguments = children.find(({ type }) => type === "type_arguments");
  const typeArgs = typeArguments === undefined ? [] : named(typeArguments).flatMap((type) => reader.type(type) ?? []);
  if (callee.type === "identifier") return { kind: "call", ...span, receiver: undefined, name: reader.slice(callee), nameSpan: reader.span(callee), args: [...args, ...trailing], typeArgs, bare: false, infix: false };
  const inner = expr(reader, callee);
  if (inner.kind === "call" && inner.bare) return { ...inner, ...span, args: [...args, ...trailing], typeArgs, bare: false };
  // `f<T>(a) { … }` comes as the call of a call: the lambda is one more argument.
  if (inner.kind === "call" && children.every(({ type }) => type !== "value_arguments")) return { ...inner, ...span, args: [...inner.args, ...trailing] };
  if (inner.kind === "name") return { kind: "call", ...span, receiver: undefined, name: inner.name, nameSpan: reader.span(callee), args: [...args, ...trailing], typeArgs, bare: false, infix: false };
  return { kind: "call", ...span, receiver: inner, name: "invoke", nameSpan: reader.span(callee), args: [...args, ...trailing], typeArgs, bare: false, infix: false };
}

function lambdaOf(reader: TreeReader, node: SyntaxNode): Expr {
  const children = all(node).filter((child) => child.isNamed);
  const params = children.find(({ type }) => type === "lambda_parameters");
  const names = params === undefined ? [] : named(params).map((param) => {
    const parts = param.type === "variable_declaration" ? named(param) : [param];
    return { name: reader.slice(parts.find(({ type }) => type === "identifier") ?? param), type: reader.type(parts.find(({ type }) => type.endsWith("type"))), initial: undefined };
  });
  const unpacking = params === undefined ? [] : named(params).filter(({ type }) => type === "multi_variable_declaration").flatMap((param) => namesOfParts(reader.span(param), reader.slice(param), namesIn(reader, param)));
  const body = blockOf(reader, node, children.filter((child) => child !== params));
  return {
    kind: "lambda", ...reader.span(node), params: params === undefined ? [{ name: "it", type: undefined, initial: undefined }] : names,
    body: unpacking.length === 0 || body.kind !== "block" ? body : { ...body, body: [...unpacking, ...body.body] },
  };
}

/** The names in `(a, b)`. */
function namesIn(reader: TreeReader, several: SyntaxNode): (Span & { readonly name: string })[] {
  return named(several).filter(({ type }) => type === "variable_declaration").map((variable) => ({ ...reader.span(variable), name: reader.slice(named(variable).find(({ type }) => type === "identifier") ?? variable) }));
}

function letOf(reader: TreeReader, node: SyntaxNode): Expr {
  const children = named(node);
  const span = reader.span(node);
  const variable = children.find(({ type }) => type === "variable_declaration");
  const value = valueOf(node);
  const read = value === undefined ? undefined : expr(reader, value);
  const several = children.find(({ type }) => type === "multi_variable_declaration");
  if (several !== undefined) return { kind: "block", ...span, body: unpacked(span, reader.slice(several), namesIn(reader, several), read) };
  if (variable === undefined) return { kind: "other", ...span, parts: read === undefined ? [] : [read] };
  const parts = named(variable);
  const lazily = read?.kind === "lambda" && children.some(({ type }) => type === "property_delegate") ? read.body : read;
  return {
    kind: "let", ...span, name: reader.slice(parts.find(({ type }) => type === "identifier") ?? variable), type: reader.type(parts.find(({ type }) => type.endsWith("type"))),
    value: lazily, element: false, changes: all(node).some(({ type }) => type === "var"),
  };
}

function textOf(reader: TreeReader, node: SyntaxNode, children: readonly SyntaxNode[]): Expr {
  const span = reader.span(node);
  const parts = children.flatMap((child, at): Expr[] => {
    if (child.type === "interpolation") {
      const inner = named(child)[0];
      return [inner === undefined ? { kind: "other", ...span, parts: [] } : expr(reader, inner)];
    }
    const text = reader.slice(child);
    const place = reader.span(child);
    // Between quotes the grammar takes `$name` for two pieces of text.
    const before = children[at - 1];
    const name = before?.type === "string_content" && before.endIndex === child.startIndex && reader.slice(before) === "$" ? /^[\p{L}_][\p{L}\p{Nd}_]*/u.exec(text)?.[0] : undefined;
    if (text === "$" && startsWithName(reader, children[at + 1])) return [];
    const rest: Expr = { kind: "text", ...place, value: unquoted(text.slice(name?.length)), parts: [] };
    if (name === undefined) return [rest];
    return [name === "this" ? { kind: "this", ...place } : { kind: "name", ...place, name }, rest];
  });
  const plain = parts.every(({ kind }) => kind === "text");
  return { kind: "text", ...span, value: plain ? parts.map((part) => (part.kind === "text" ? part.value : "")).join("") : undefined, parts: plain ? [] : parts };
}

function startsWithName(reader: TreeReader, node: SyntaxNode | undefined): boolean {
  return node?.type === "string_content" && /^[\p{L}_]/u.test(reader.slice(node));
}
