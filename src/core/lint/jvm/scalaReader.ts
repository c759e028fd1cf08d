import type { SyntaxNode } from "../syntax";
import { statementsOfBlock, type Declarations } from "./javaReader";
import type { ClassModel, Expr, FieldModel, FunctionModel, Param, Span, TypeName } from "./model";
import { all, named, suppressedBy, unquoted, type ReadClass, type ReadMember, type TreeReader } from "./treeReader";
import { namesOfParts, unpacked } from "./holders";
import { arrayOf } from "./typeText";

/** Reads a Scala 2 or 3 file (tree-sitter-scala 0.24). */
export function readScala(reader: TreeReader, root: SyntaxNode): Declarations {
  const into: Declarations = { packageName: "", imports: new Map(), wildcards: [], classes: [], functions: [], fields: [], initial: [] };
  readTop(reader, root, into);
  return into;
}

function readTop(reader: TreeReader, root: SyntaxNode, into: Declarations): void {
  for (const node of named(root)) {
    if (node.type === "package_clause") {
      const name = node.childForFieldName("name");
      const body = node.childForFieldName("body");
      if (name !== null) into.packageName = [into.packageName, reader.slice(name).replace(/\s/g, "")].filter((part) => part !== "").join(".");
      if (body !== null) readTop(reader, body, into);
    } else if (node.type === "import_declaration") importInto(reader.slice(node), into);
    else memberInto(reader, node, into, into);
  }
}

/** `import a.b.{C, D => E, _}`, `import a.b._, c.D`, `import a.b.*`, `import a.b.C as D`. */
function importInto(text: string, into: Declarations): void {
  for (const [, prefix = "", group, last = "", alias] of text.replace(/^import\s+/, "").matchAll(/((?:[\w$]+\.)*)(?:\{([^}]*)\}|([\w$]+|_|\*)(?:\s+as\s+(\w+))?)/g)) {
    const entries = group === undefined ? [alias === undefined ? last : `${last} as ${alias}`] : group.split(",");
    for (const entry of entries) {
      const [name = "", renamed] = entry.trim().split(/\s*(?:=>|\bas\b)\s*/);
      if (name === "_" || name === "*" || name === "given") into.wildcards.push(prefix.slice(0, -1));
      else if (name !== "") into.imports.set(renamed ?? name, prefix + name);
    }
  }
}

type Members = Pick<Declarations, "classes" | "functions" | "fields" | "initial">;

const classTypes = new Set(["class_definition", "object_definition", "trait_definition", "enum_definition", "package_object"]);
const declarations = new Set(["val_definition", "var_definition", "val_declaration", "var_declaration", "given_definition"]);

function memberInto(reader: TreeReader, node: SyntaxNode, into: Members, imports: Declarations | undefined, extended?: Param): void {
  if (classTypes.has(node.type)) into.classes.push(classOf(reader, node));
  else if (node.type === "function_definition" || node.type === "function_declaration") into.functions.push(functionOf(reader, node, extended));
  else if (node.type === "extension_definition") {
    const list = named(node).find(({ type }) => type === "parameters");
    const receiver = list === undefined ? undefined : paramsOf(reader, [list])[0];
    for (const child of named(node)) {
      if (child.type === "function_definition") memberInto(reader, child, into, imports, receiver);
      else if (child.type === "template_body") for (const inner of named(child)) memberInto(reader, inner, into, imports, receiver);
    }
  } else if (declarations.has(node.type)) {
    into.fields.push(...fieldsOf(reader, node));
    for (const behind of valueOf(node).behind) memberInto(reader, behind, into, imports);
  }
  else if (node.type === "import_declaration") {
    if (imports !== undefined) importInto(reader.slice(node), imports);
  } else if (!ignored.has(node.type)) into.initial.push(reader.member(node, () => initialOf(reader, node, node)));
}

const ignored = new Set(["self_type", "type_definition", "annotation", "export_declaration", "ERROR", "package_clause", "modifiers"]);

function classOf(reader: TreeReader, node: SyntaxNode): ClassModel {
  return reader.declared(node, () => readClass(reader, node));
}

function readClass(reader: TreeReader, node: SyntaxNode): ReadClass {
  const body = node.childForFieldName("body") ?? named(node).find(({ type }) => type === "template_body" || type === "enum_body") ?? null;
  const into: Members = { classes: [], functions: [], fields: [], initial: [] };
  const constants: { name: string; args: Expr[] }[] = [];
  const supers = supersOf(reader, node.childForFieldName("extend"));
  const members = body === null ? [] : named(body);
  reader.holding(supers, () => {
    for (const member of members) {
      if (member.type === "enum_case_definitions") {
        for (const entry of named(member)) {
          const name = entry.childForFieldName("name");
          const extend = entry.childForFieldName("extend");
          if (name !== null) constants.push({ name: reader.slice(name), args: extend === null ? [] : argsOf(reader, extend.childForFieldName("arguments")) });
        }
      } else memberInto(reader, member, into, undefined);
    }
  });
  const name = node.childForFieldName("name");
  return {
    name: name === null ? "" : reader.slice(name),
    kind: node.type === "object_definition" || node.type === "package_object" ? "object" : node.type === "trait_definition" ? "interface" : node.type === "enum_definition" ? "enum" : "class",
    supers,
    params: paramsOf(reader, named(node).filter(({ type }) => type === "class_parameters")),
    ...into,
    constants,
    features: reader.features(node, supers),
    suppressed: suppressedBy(annotationsOf(reader, node)),
    span: reader.span(node),
  };
}

function supersOf(reader: TreeReader, extend: SyntaxNode | null): TypeName[] {
  if (extend === null) return [];
  return named(extend).flatMap((child) => (child.type === "arguments" ? [] : child.type === "compound_type" ? named(child).flatMap((part) => reader.type(part) ?? []) : (reader.type(child) ?? [])));
}

function annotationsOf(reader: TreeReader, node: SyntaxNode): string {
  return named(node).filter(({ type }) => type === "annotation").map((child) => reader.slice(child)).join(" ");
}

function initialOf(reader: TreeReader, node: SyntaxNode, body: SyntaxNode): ReadMember {
  return {
    name: "", params: [], receiver: undefined, returns: undefined, body: reader.matters(body) ? expr(reader, body) : undefined, hasBody: true,
    span: reader.span(node), suppressed: [],
  };
}

/**
 * The value of a `val`, and the statements behind it. The grammar takes everything that follows a value on a line of its own for one indented
 * block with it, also where that line is indented no deeper than the `val`, as Scala 2 is often written.
 */
function valueOf(node: SyntaxNode): { readonly value: SyntaxNode | null; readonly behind: readonly SyntaxNode[] } {
  const value = node.childForFieldName("value") ?? node.childForFieldName("body");
  if (value?.type !== "indented_block" || value.column > node.column) return { value, behind: [] };
  const [first, ...behind] = named(value);
  return { value: first ?? value, behind };
}

function fieldsOf(reader: TreeReader, node: SyntaxNode): FieldModel[] {
  const { value } = valueOf(node);
  const pattern = node.childForFieldName("pattern") ?? node.childForFieldName("name");
  const holder = reader.member(value ?? node, () => ({ ...initialOf(reader, node, node), body: value === null || value.type === "wildcard" ? undefined : expr(reader, value) }));
  if (pattern !== null && pattern.type !== "identifier" && holder.body !== undefined) {
    const whole = reader.slice(pattern);
    const parts = reader.member(pattern, () => ({ ...initialOf(reader, node, node), body: { kind: "block", ...reader.span(pattern), body: namesOfParts(reader.span(pattern), whole, namesIn(reader, pattern)) } }));
    const lets = parts.body?.kind === "block" ? parts.body.body : [];
    return [{ name: whole, type: undefined, value: holder.body, base: holder.base }, ...lets.flatMap((part) => (part.kind === "let" ? [{ name: part.name, type: undefined, value: part.value, base: parts.base }] : []))];
  }
  return pattern === null || pattern.type !== "identifier" ? [] : [{ name: reader.slice(pattern), type: reader.type(node.childForFieldName("type") ?? node.childForFieldName("return_type")), value: holder.body, base: holder.base }];
}

function functionOf(reader: TreeReader, node: SyntaxNode, receiver?: Param): FunctionModel {
  const fun = reader.member(node, () => {
    const name = node.childForFieldName("name");
    const body = node.childForFieldName("body");
    const isUnit = body !== null && node.childForFieldName("return_type") === null && all(node).every(({ type }) => type !== "=");
    return {
      name: name === null ? "" : reader.slice(name) === "this" ? "<init>" : reader.slice(name),
      params: paramsOf(reader, named(node).filter(({ type }) => type === "parameters")),
      receiver: undefined,
      returns: isUnit ? { name: "Unit", written: "Unit", args: [] } : reader.type(node.childForFieldName("return_type")),
      body: body !== null && reader.matters(body) ? reader.guarded(body, () => expr(reader, body)) : undefined,
      hasBody: body !== null,
      span: reader.span(node),
      suppressed: suppressedBy(annotationsOf(reader, node)),
    };
  });
  // It stands with the extension, so an edit there changes it too.
  return receiver === undefined ? fun : { ...fun, receiver };
}

function paramsOf(reader: TreeReader, lists: readonly SyntaxNode[]): Param[] {
  return lists.flatMap(named).filter(({ type }) => type === "parameter" || type === "class_parameter").map((param) => {
    const initial = param.childForFieldName("default_value");
    const name = param.childForFieldName("name");
    const type = param.childForFieldName("type");
    return { name: name === null ? "" : reader.slice(name), ...(type?.type === "repeated_parameter_type" ? arrayOf(reader.type(type)) : { type: reader.type(type) }), initial: initial === null ? undefined : expr(reader, initial) };
  });
}

function argsOf(reader: TreeReader, list: SyntaxNode | null): Expr[] {
  if (list === null) return [];
  if (list.type !== "arguments") return [argOf(reader, list)];
  return named(list).map((arg) => {
    // `name = value` in an argument list names a parameter.
    const value = arg.type === "assignment_expression" ? arg.childForFieldName("right") : null;
    return argOf(reader, value ?? arg);
  });
}

/** An argument; one with placeholders, a block with a lambda or with cases is a lambda. */
function argOf(reader: TreeReader, node: SyntaxNode): Expr {
  const span = reader.span(node);
  if (node.type === "case_block" || node.type === "indented_cases") return { kind: "lambda", ...span, params: [{ name: matched, type: undefined, initial: undefined }], body: expr(reader, node) };
  if (node.type === "block" || node.type === "colon_argument") {
    const inner = named(node);
    const only = inner.length === 1 ? inner[0] : undefined;
    if (only !== undefined) return argOf(reader, only);
  }
  const read = expr(reader, node);
  if (read.kind === "lambda" || read.kind === "new" || read.kind === "name" || node.type === "wildcard" || read.kind === "text") return read;
  if (placeholder.test(reader.slice(node)) && !/^new\b/.test(reader.slice(node)) && hasPlaceholder(reader.slice(node))) return { kind: "lambda", ...span, params: [{ name: "_", type: undefined, initial: undefined }], body: read };
  return read;
}

const placeholder = /(^|[^\w$])_($|[^\w$])/;

/** `_.id` and `_ + 1` are lambdas, `x = _`, `f(_.id)` (whose inner argument is one) and `List[_]` are none. */
function hasPlaceholder(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === "(" || char === "[" || char === "{") depth++;
    else if (char === ")" || char === "]" || char === "}") depth--;
    else if (char === "\"") {
      const end = text.indexOf("\"", at + 1);
      if (end === -1) return false;
      at = end;
    } else if (char === "_" && depth === 0 && !/[\w$]/.test(text[at - 1] ?? " ") && !/[\w$]/.test(text[at + 1] ?? " ")) return true;
  }
  return false;
}

function expr(reader: TreeReader, node: SyntaxNode): Expr {
  return reader.deeper(node, () => exprOf(reader, node));
}

function blockOf(reader: TreeReader, node: SyntaxNode): Expr {
  return { kind: "block", ...reader.span(node), body: statementsOfBlock(reader, all(node).filter((child) => child.isNamed), (child) => expr(reader, child)) };
}

function exprOf(reader: TreeReader, node: SyntaxNode): Expr {
  const span = reader.span(node);
  const nothing: Expr = { kind: "other", ...span, parts: [] };
  const read = (child: SyntaxNode | null | undefined): Expr => (child === null || child === undefined ? nothing : expr(reader, child));
  const field = (name: string): Expr => read(node.childForFieldName(name));
  switch (node.type) {
    case "call_expression": {
      const call = callOf(reader, node);
      return reader.broken(node) ? { kind: "broken", value: call, ...span } : call;
    }
    case "field_expression": {
      const name = node.childForFieldName("field") ?? node;
      const call: Expr = { kind: "call", ...span, receiver: field("value"), name: reader.slice(name), nameSpan: reader.span(name), args: [], typeArgs: [], bare: true, infix: false };
      return reader.broken(node) ? { kind: "broken", value: call, ...span } : call;
    }
    case "generic_function": {
      const inner = field("function");
      const types = node.childForFieldName("type_arguments");
      const typeArgs = types === null ? [] : named(types).flatMap((type) => reader.type(type) ?? []);
      if (inner.kind === "call") return { ...inner, ...span, typeArgs };
      return inner.kind === "name" ? { kind: "call", ...span, receiver: undefined, name: inner.name, nameSpan: { start: inner.start, end: inner.end }, args: [], typeArgs, bare: true, infix: false } : inner;
    }
    case "infix_expression": {
      const operator = node.childForFieldName("operator");
      const right = node.childForFieldName("right");
      if (operator === null) return nothing;
      const name = reader.slice(operator);
      if (name === "->") return tuple(span, [field("left"), read(right)]);
      if (!/^[A-Za-z_]\w*$/.test(name)) return { kind: "binary", ...span, operator: name, parts: [field("left"), read(right)] };
      const args = right === null ? [] : right.type === "unit" ? [] : right.type === "tuple_expression" ? named(right).map((arg) => argOf(reader, arg)) : [argOf(reader, right.type === "parenthesized_expression" ? (named(right)[0] ?? right) : right)];
      const call: Expr = { kind: "call", ...span, receiver: field("left"), name, nameSpan: reader.span(operator), args, typeArgs: [], bare: false, infix: true };
      return reader.broken(node) ? { kind: "broken", value: call, ...span } : call;
    }
    case "postfix_expression": {
      const [object, name] = named(node);
      if (name === undefined || object === undefined) return nothing;
      if (reader.slice(name) === "_") return { kind: "methodRef", ...span, object: undefined, name: reader.slice(object) };
      return { kind: "call", ...span, receiver: read(object), name: reader.slice(name), nameSpan: reader.span(name), args: [], typeArgs: [], bare: true, infix: true };
    }
    case "instance_expression": {
      const children = named(node);
      const body = children.find(({ type }) => type === "template_body");
      const list = children.find(({ type }) => type === "arguments");
      const written = children.find((child) => child !== body && child !== list && child.type !== "annotation");
      const types = written === undefined ? [] : written.type === "compound_type" ? named(written).flatMap((part) => reader.type(part) ?? []) : [reader.type(written)].filter((type) => type !== undefined);
      const type = types[0] ?? { name: "", written: "", args: [] };
      return { kind: "new", ...span, type, args: argsOf(reader, list ?? null), body: body === undefined && types.length < 2 ? undefined : anonymousOf(reader, node, body, types) };
    }
    case "wildcard":
      return { kind: "name", ...span, name: "_" };
    case "identifier":
    case "operator_identifier":
    case "type_identifier":
      return reader.slice(node) === "this" ? { kind: "this", ...span } : { kind: "name", ...span, name: reader.slice(node).replaceAll("`", "") };
    case "string":
      return { kind: "text", ...span, value: unquoted(reader.slice(node).replace(/^"""|"""$/g, "").replace(/^"|"$/g, "")), parts: [] };
    case "interpolated_string_expression": {
      const inner = named(node).find(({ type }) => type === "interpolated_string" || type === "interpolated_string_expression");
      const parts = inner === undefined ? [] : named(inner).filter(({ type }) => type === "interpolation").map((part) => read(named(part)[0]));
      const text = reader.slice(node).replace(/^\w+"+|"+$/g, "");
      return { kind: "text", ...span, value: parts.length === 0 ? text : undefined, parts: parts.length === 0 ? [] : [{ kind: "text", ...span, value: text.replace(/\$(\{[^}]*\}|\w+)/g, ""), parts: [] }, ...parts] };
    }
    case "null_literal":
      return { kind: "null", ...span };
    case "integer_literal":
      return { kind: "number", ...span, value: reader.slice(node) };
    case "tuple_expression":
      return tuple(span, named(node).map((part) => argOf(reader, part)));
    case "parenthesized_expression":
      return read(named(node)[0]);
    case "ascription_expression":
      return read(named(node)[0]);
    case "lambda_expression": {
      const params = node.childForFieldName("parameters");
      const bindings = params === null ? [] : params.type === "bindings" ? named(params) : [params];
      return {
        kind: "lambda", ...span,
        params: bindings.map((binding) => {
          const name = binding.childForFieldName("name");
          return { name: name === null ? reader.slice(binding) : reader.slice(name), type: reader.type(binding.childForFieldName("type")), initial: undefined };
        }),
        body: lambdaBodyOf(reader, node, params),
      };
    }
    case "block":
    case "indented_block":
    case "template_body":
      return blockOf(reader, node);
    case "val_definition":
    case "var_definition":
    case "given_definition":
      return reader.guarded(node, () => {
        const pattern = node.childForFieldName("pattern") ?? node.childForFieldName("name");
        const { value, behind } = valueOf(node);
        const readValue = value === null || value.type === "wildcard" ? undefined : argOf(reader, value);
        const bound: Expr = pattern !== null && pattern.type !== "identifier" && readValue !== undefined
          ? { kind: "block", ...span, body: boundBy(reader, pattern, readValue) }
          : pattern === null || pattern.type !== "identifier"
          ? { kind: "other", ...span, parts: readValue === undefined ? [] : [readValue] }
          : { kind: "let", ...span, name: reader.slice(pattern), type: reader.type(node.childForFieldName("type")), value: readValue, element: false, changes: node.type === "var_definition" };
        return behind.length === 0 ? bound : { kind: "block", ...span, body: [bound, ...statementsOfBlock(reader, behind, (child) => expr(reader, child))] };
      });
    case "assignment_expression":
      return reader.guarded(node, () => ({ kind: "assign", ...span, target: field("left"), value: field("right") }));
    case "return_expression":
      return reader.guarded(node, () => ({ kind: "return", ...span, value: named(node)[0] === undefined ? undefined : read(named(node)[0]) }));
    case "throw_expression":
      return { kind: "return", ...span, value: { kind: "other", ...span, parts: named(node).map((child) => expr(reader, child)) } };
    case "if_expression": {
      const alternative = node.childForFieldName("alternative");
      return { kind: "block", ...span, body: [field("condition"), { kind: "choice", ...span, branches: [field("consequence"), read(alternative)], loop: false }] };
    }
    case "match_expression":
      return { kind: "block", ...span, body: [{ kind: "let", ...span, name: matched, type: undefined, value: field("value"), element: false, changes: false }, field("body")] };
    case "case_block":
    case "indented_cases":
      return { kind: "choice", ...span, branches: named(node).filter(({ type }) => type === "case_clause").map((clause) => caseOf(reader, clause)), loop: false };
    case "for_expression":
      return forOf(reader, node);
    case "while_expression":
    case "do_while_expression":
      return { kind: "choice", ...span, loop: true, branches: [field("body")] };
    case "try_expression": {
      const clauses = named(node).filter(({ type }) => type === "catch_clause");
      const branches = clauses.flatMap((clause) => named(clause)).filter(({ type }) => type === "case_block" || type === "indented_cases").map((cases) => expr(reader, cases));
      const last = named(node).filter(({ type }) => type === "finally_clause").flatMap((clause) => named(clause).map((child) => expr(reader, child)));
      return { kind: "block", ...span, body: [{ kind: "choice", ...span, branches: [field("body"), ...branches], loop: false }, ...last] };
    }
    case "function_definition":
      return { kind: "function", ...span, fun: functionOf(reader, node) };
    case "class_definition":
    case "object_definition":
    case "trait_definition":
    case "enum_definition":
      return { kind: "class", ...span, cls: classOf(reader, node) };
    case "ERROR":
      return { kind: "broken", ...span, value: undefined };
    default:
      return { kind: "other", ...span, parts: ignoredParts.has(node.type) || node.type.endsWith("_type") ? [] : named(node).map((child) => expr(reader, child)) };
  }
}

const ignoredParts = new Set(["import_declaration", "type_definition", "modifiers", "annotation", "type_arguments", "boolean_literal", "wildcard"]);

function anonymousOf(reader: TreeReader, node: SyntaxNode, body: SyntaxNode | undefined, supers: readonly TypeName[]): ClassModel {
  return reader.declared(body ?? node, () => {
    const into: Members = { classes: [], functions: [], fields: [], initial: [] };
    reader.holding(supers, () => {
      for (const member of body === undefined ? [] : named(body)) memberInto(reader, member, into, undefined);
    });
    return { name: "", kind: "anonymous", supers, params: [], ...into, constants: [], features: reader.features(body ?? node, supers), suppressed: [], span: reader.span(node) };
  });
}

function callOf(reader: TreeReader, node: SyntaxNode): Expr {
  const span = reader.span(node);
  const callee = node.childForFieldName("function");
  const list = node.childForFieldName("arguments");
  if (callee === null) return { kind: "other", ...span, parts: [] };
  const args = argsOf(reader, list);
  const inner = expr(reader, callee);
  if (inner.kind === "call" && inner.bare && callee.type !== "call_expression") return { ...inner, ...span, args, bare: false };
  // A second argument list, or a lambda behind the first one.
  if (inner.kind === "call" && callee.type === "call_expression") return { ...inner, ...span, args: [...inner.args, ...args] };
  if (inner.kind === "name") return { kind: "call", ...span, receiver: undefined, name: inner.name, nameSpan: { start: inner.start, end: inner.end }, args, typeArgs: [], bare: false, infix: false };
  // `new X(…)(…)` and the like: one more argument list of a constructor.
  if (inner.kind === "new") return { ...inner, ...span, args: [...inner.args, ...args] };
  return { kind: "call", ...span, receiver: inner, name: "apply", nameSpan: reader.span(callee), args, typeArgs: [], bare: false, infix: false };
}

function lambdaBodyOf(reader: TreeReader, node: SyntaxNode, params: SyntaxNode | null): Expr {
  const rest = all(node).filter((child) => child.isNamed && child.id !== params?.id);
  return { kind: "block", ...reader.span(node), body: statementsOfBlock(reader, rest, (child) => expr(reader, child)) };
}

function caseOf(reader: TreeReader, clause: SyntaxNode): Expr {
  const pattern = clause.childForFieldName("pattern");
  const arrow = clause.children.findIndex((child) => child?.type === "=>");
  const body = all(clause).slice(arrow + 1).filter((child) => child.isNamed);
  const bound: Expr[] = pattern?.type === "typed_pattern" ? typedBinding(reader, pattern) : pattern?.type === "tuple_pattern" ? namesOfParts(reader.span(pattern), matched, namesIn(reader, pattern)) : [];
  return { kind: "block", ...reader.span(clause), body: [...bound, ...statementsOfBlock(reader, body, (child) => expr(reader, child))] };
}

/** What a `match`, or a lambda made of cases, looks at. */
const matched = "(matched)";

function tuple(span: Span, parts: readonly Expr[]): Expr {
  return { kind: "new", ...span, type: { name: "()", written: "()", args: [] }, args: parts, body: undefined };
}

/** The names of a tuple's pattern, or of a class's; what is no plain name has none. */
function namesIn(reader: TreeReader, pattern: SyntaxNode): (Span & { readonly name: string })[] {
  return named(pattern).filter(({ type }) => type !== "type_identifier").map((part) => {
    const name = part.type === "typed_pattern" ? (part.childForFieldName("pattern") ?? part) : part;
    return { ...reader.span(part), name: name.type === "identifier" ? reader.slice(name) : "" };
  });
}

/** `val (a, b) = value`, `val Out(a, b) = value`, `val Seq(a, b) = value`. */
function boundBy(reader: TreeReader, pattern: SyntaxNode, value: Expr): Expr[] {
  const span = reader.span(pattern);
  const whole = reader.slice(pattern);
  const names = namesIn(reader, pattern);
  if (pattern.type !== "case_class_pattern" || !/^(?:Array|Seq|List|Vector|IndexedSeq|Some)\b/.test(whole)) return unpacked(span, whole, names, value);
  const all: Expr = { kind: "let", ...span, name: whole, type: undefined, value, element: false, changes: false };
  return [all, ...names.map((name): Expr => ({ kind: "let", ...name, type: undefined, value: { kind: "name", ...span, name: whole }, element: true, changes: false }))];
}

function typedBinding(reader: TreeReader, pattern: SyntaxNode): Expr[] {
  const name = pattern.childForFieldName("pattern");
  return name === null || name.type !== "identifier" ? [] : [{ kind: "let", ...reader.span(pattern), name: reader.slice(name), type: reader.type(pattern.childForFieldName("type")), value: undefined, element: false, changes: false }];
}

function forOf(reader: TreeReader, node: SyntaxNode): Expr {
  const span = reader.span(node);
  const enumerators = named(node).filter(({ type }) => type === "enumerators").flatMap(named);
  const bound = enumerators.flatMap((enumerator): Expr[] => {
    const [name, value] = named(enumerator);
    if (name === undefined || value === undefined) return [];
    const arrow = enumerator.children.some((child) => child?.type === "<-");
    if (name.type === "tuple_pattern") return unpacked(reader.span(enumerator), reader.slice(name), namesIn(reader, name), expr(reader, value), arrow);
    return [{ kind: "let", ...reader.span(enumerator), name: reader.slice(name), type: undefined, value: expr(reader, value), element: arrow, changes: false }];
  });
  const body = node.childForFieldName("body");
  return { kind: "choice", ...span, loop: true, branches: [{ kind: "block", ...span, body: [...bound, ...(body === null ? [] : [expr(reader, body)])] }] };
}
