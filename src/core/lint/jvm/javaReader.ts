import type { SyntaxNode } from "../syntax";
import type { ClassModel, Expr, FieldModel, FunctionModel, Lambda, Param } from "./model";
import { all, isComment, named, suppressedBy, unquoted, type ReadClass, type ReadMember, type TreeReader } from "./treeReader";
import { arrayOf } from "./typeText";

/** What a file declares, read by a front end. */
export interface Declarations {
  packageName: string;
  readonly imports: Map<string, string>;
  readonly wildcards: string[];
  readonly classes: ClassModel[];
  readonly functions: FunctionModel[];
  readonly fields: FieldModel[];
  readonly initial: FunctionModel[];
}

/** Reads a Java file (tree-sitter-java 0.23). */
export function readJava(reader: TreeReader, root: SyntaxNode): Declarations {
  const into: Declarations = { packageName: "", imports: new Map(), wildcards: [], classes: [], functions: [], fields: [], initial: [] };
  for (const node of named(root)) {
    if (node.type === "package_declaration") into.packageName = reader.slice(node).replace(/^package\s+|[;\s]/g, "");
    else if (node.type === "import_declaration") {
      const path = reader.slice(node).replace(/^import\s+(static\s+)?|[;\s]/g, "");
      if (path.endsWith(".*")) into.wildcards.push(path.slice(0, -2));
      else into.imports.set(path.slice(path.lastIndexOf(".") + 1), path);
    } else if (classTypes.has(node.type)) into.classes.push(classOf(reader, node));
  }
  return into;
}

const classTypes = new Set(["class_declaration", "interface_declaration", "enum_declaration", "record_declaration"]);

function classOf(reader: TreeReader, node: SyntaxNode): ClassModel {
  return reader.declared(node, () => readClass(reader, node));
}

function readClass(reader: TreeReader, node: SyntaxNode): ReadClass {
  const kind = node.type === "interface_declaration" ? "interface" : node.type === "enum_declaration" ? "enum" : "class";
  const superclass = node.childForFieldName("superclass");
  const interfaces = node.childForFieldName("interfaces") ?? named(node).find(({ type }) => type === "extends_interfaces") ?? null;
  const supers = [...(superclass === null ? [] : named(superclass)), ...(interfaces === null ? [] : named(interfaces).flatMap(named))];
  return bodyOf(reader, node, node.childForFieldName("body"), {
    name: nameOf(reader, node),
    kind,
    supers: supers.flatMap((type) => reader.type(type) ?? []),
    params: node.type === "record_declaration" ? paramsOf(reader, node.childForFieldName("parameters")) : [],
    suppressed: suppressedBy(modifiersOf(reader, node)),
  });
}

function bodyOf(reader: TreeReader, node: SyntaxNode, body: SyntaxNode | null, head: Pick<ClassModel, "name" | "kind" | "supers" | "params" | "suppressed">): ReadClass {
  const fields: FieldModel[] = [];
  const functions: FunctionModel[] = [];
  const initial: FunctionModel[] = [];
  const classes: ClassModel[] = [];
  const constants: { name: string; args: Expr[] }[] = [];
  const span = reader.span(node);
  const members = body === null ? [] : named(body).flatMap((member) => (member.type === "enum_body_declarations" ? named(member) : [member]));
  reader.holding(head.supers, () => {
    for (const member of members) {
      if (member.type === "field_declaration" || member.type === "constant_declaration") fields.push(...fieldsOf(reader, member));
      else if (member.type === "method_declaration" || member.type === "constructor_declaration" || member.type === "compact_constructor_declaration") functions.push(functionOf(reader, member));
      else if (member.type === "static_initializer" || member.type === "block") initial.push(reader.member(member, () => initialOf(reader, member)));
      else if (member.type === "enum_constant") {
        constants.push({ name: nameOf(reader, member), args: argsOf(reader, member.childForFieldName("arguments")) });
        const own = member.childForFieldName("body");
        if (own !== null) classes.push(reader.declared(own, () => bodyOf(reader, own, own, { name: nameOf(reader, member), kind: "anonymous", supers: [], params: [], suppressed: [] })));
      }
      else if (classTypes.has(member.type)) classes.push(classOf(reader, member));
    }
  });
  return { ...head, fields, functions, initial, classes, constants, features: reader.features(node, head.supers), span };
}

function initialOf(reader: TreeReader, node: SyntaxNode): ReadMember {
  const block = node.type === "block" ? node : (named(node).find(({ type }) => type === "block") ?? node);
  return {
    name: "", params: [], receiver: undefined, returns: undefined, body: reader.matters(block) ? expr(reader, block) : undefined, hasBody: true,
    span: reader.span(node), suppressed: [],
  };
}

function fieldsOf(reader: TreeReader, node: SyntaxNode): FieldModel[] {
  const type = reader.type(node.childForFieldName("type"));
  return declaratorsOf(node).map((declarator) => {
    const initial = declarator.childForFieldName("value");
    // The member's own place is that of its value: only that is looked at.
    const holder = reader.member(initial ?? declarator, () => ({ ...initialOf(reader, declarator), body: initial === null ? undefined : expr(reader, initial) }));
    return { name: nameOf(reader, declarator), type, value: holder.body, base: holder.base };
  });
}

function declaratorsOf(node: SyntaxNode): SyntaxNode[] {
  return named(node).filter(({ type }) => type === "variable_declarator");
}

function functionOf(reader: TreeReader, node: SyntaxNode): FunctionModel {
  return reader.member(node, () => {
    const body = node.childForFieldName("body");
    const modifiers = modifiersOf(reader, node);
    const constructs = node.type !== "method_declaration";
    return {
      name: constructs ? "<init>" : nameOf(reader, node),
      params: paramsOf(reader, node.childForFieldName("parameters")),
      receiver: undefined,
      returns: constructs ? undefined : reader.type(node.childForFieldName("type")),
      body: body !== null && reader.matters(body) ? expr(reader, body) : undefined,
      hasBody: body !== null,
      span: reader.span(node),
      suppressed: suppressedBy(modifiers),
    };
  });
}

function paramsOf(reader: TreeReader, node: SyntaxNode | null): Param[] {
  if (node === null) return [];
  return named(node).flatMap((param) => {
    if (param.type === "identifier") return [{ name: reader.slice(param), type: undefined, initial: undefined }];
    if (param.type !== "formal_parameter" && param.type !== "spread_parameter") return [];
    const declarator = param.type === "spread_parameter" ? named(param).find(({ type }) => type === "variable_declarator") : param;
    const type = param.childForFieldName("type") ?? named(param).find((child) => child.type !== "modifiers") ?? null;
    const written = reader.type(type);
    return [{ name: declarator === undefined ? "" : nameOf(reader, declarator), initial: undefined, ...(param.type === "spread_parameter" ? arrayOf(written) : { type: written }) }];
  });
}

function argsOf(reader: TreeReader, node: SyntaxNode | null): Expr[] {
  return node === null ? [] : named(node).map((arg) => expr(reader, arg));
}

function modifiersOf(reader: TreeReader, node: SyntaxNode): string {
  const first = named(node)[0];
  return first?.type === "modifiers" ? reader.slice(first) : "";
}

function nameOf(reader: TreeReader, node: SyntaxNode): string {
  const name = node.childForFieldName("name");
  return name === null ? "" : reader.slice(name);
}

function expr(reader: TreeReader, node: SyntaxNode): Expr {
  return reader.deeper(node, () => exprOf(reader, node));
}

function parts(reader: TreeReader, nodes: readonly SyntaxNode[]): Expr[] {
  return nodes.map((node) => expr(reader, node));
}

function exprOf(reader: TreeReader, node: SyntaxNode): Expr {
  const span = reader.span(node);
  const field = (name: string): Expr | undefined => {
    const child = node.childForFieldName(name);
    return child === null ? undefined : expr(reader, child);
  };
  switch (node.type) {
    case "method_invocation": {
      const name = node.childForFieldName("name");
      const typeArguments = node.childForFieldName("type_arguments");
      const call: Expr = {
        kind: "call", ...span, receiver: field("object"), name: name === null ? "" : reader.slice(name), nameSpan: name === null ? span : reader.span(name),
        args: argsOf(reader, node.childForFieldName("arguments")), typeArgs: typeArguments === null ? [] : named(typeArguments).flatMap((type) => reader.type(type) ?? []), bare: false, infix: false,
      };
      return reader.broken(node) ? { kind: "broken", value: call, ...span } : call;
    }
    case "object_creation_expression": {
      const body = named(node).find(({ type }) => type === "class_body");
      const type = reader.type(node.childForFieldName("type")) ?? { name: "", written: "", args: [] };
      return {
        kind: "new", ...span, type, args: argsOf(reader, node.childForFieldName("arguments")),
        body: body === undefined ? undefined : reader.declared(body, () => bodyOf(reader, body, body, { name: "", kind: "anonymous", supers: [type], params: [], suppressed: [] })),
      };
    }
    case "identifier":
      return { kind: "name", ...span, name: reader.slice(node) };
    case "this":
    case "super":
      return { kind: "this", ...span };
    case "field_access": {
      const name = node.childForFieldName("field");
      return { kind: "call", ...span, receiver: field("object"), name: name === null ? "" : reader.slice(name), nameSpan: name === null ? span : reader.span(name), args: [], typeArgs: [], bare: true, infix: false };
    }
    case "lambda_expression":
      return lambdaOf(reader, node);
    case "method_reference": {
      const [object, name] = [named(node)[0], named(node).at(-1)];
      return { kind: "methodRef", ...span, object: object === undefined ? undefined : expr(reader, object), name: name === undefined || name === object ? "new" : reader.slice(name) };
    }
    case "string_literal":
      return { kind: "text", ...span, value: unquoted(reader.slice(node).replace(/^"""\s*\n|^"+|"+$/g, "")), parts: [] };
    case "null_literal":
      return { kind: "null", ...span };
    case "decimal_integer_literal":
      return { kind: "number", ...span, value: reader.slice(node) };
    case "binary_expression":
      return { kind: "binary", ...span, operator: reader.slice(node.childForFieldName("operator") ?? node), parts: [field("left"), field("right")].filter((part) => part !== undefined) };
    case "parenthesized_expression": {
      const inner = named(node)[0];
      return inner === undefined ? { kind: "other", ...span, parts: [] } : expr(reader, inner);
    }
    case "cast_expression":
      return { kind: "cast", ...span, type: reader.type(node.childForFieldName("type")) ?? { name: "", written: "", args: [] }, value: field("value") ?? { kind: "other", ...span, parts: [] } };
    case "ternary_expression":
      return { kind: "choice", ...span, branches: [field("consequence"), field("alternative")].filter((part) => part !== undefined), loop: false };
    case "assignment_expression":
      return reader.guarded(node, () => ({ kind: "assign", ...span, target: field("left") ?? { kind: "other", ...span, parts: [] }, value: field("right") ?? { kind: "other", ...span, parts: [] } }));
    case "expression_statement":
    case "yield_statement":
      return reader.guarded(node, () => {
        const inner = named(node)[0];
        return inner === undefined ? { kind: "other", ...span, parts: [] } : expr(reader, inner);
      });
    case "return_statement":
      return reader.guarded(node, () => {
        const inner = named(node)[0];
        return { kind: "return", ...span, value: inner === undefined ? undefined : expr(reader, inner) };
      });
    case "local_variable_declaration":
      return reader.guarded(node, () => {
        const written = reader.type(node.childForFieldName("type"));
        const type = written?.name === "var" ? undefined : written;
        const lets = declaratorsOf(node).map((declarator): Expr => {
          const value = declarator.childForFieldName("value");
          return { kind: "let", ...reader.span(declarator), name: nameOf(reader, declarator), type, value: value === null ? undefined : expr(reader, value), element: false, changes: true };
        });
        return lets.length === 1 && lets[0] !== undefined ? lets[0] : { kind: "other", ...span, parts: lets };
      });
    case "block":
    case "constructor_body":
      return { kind: "block", ...span, body: statementsOf(reader, all(node).filter((child) => child.isNamed)) };
    case "if_statement":
      return { kind: "block", ...span, body: [...parts(reader, fieldNodes(node, "condition")), { kind: "choice", ...span, branches: branchesOf(reader, node, ["consequence", "alternative"]), loop: false }] };
    case "while_statement":
    case "do_statement":
    case "for_statement": {
      const before = node.type === "for_statement" ? parts(reader, fieldNodes(node, "init")) : [];
      const loop: Expr = { kind: "choice", ...span, branches: parts(reader, [...fieldNodes(node, "condition"), ...fieldNodes(node, "body")].slice(-1)), loop: true };
      return { kind: "block", ...span, body: [...before, loop] };
    }
    case "enhanced_for_statement": {
      const variable: Expr = { kind: "let", ...span, name: nameOf(reader, node), type: reader.type(node.childForFieldName("type")), value: field("value"), element: true, changes: true };
      return { kind: "block", ...span, body: [{ kind: "choice", ...span, loop: true, branches: [{ kind: "block", ...span, body: [variable, ...parts(reader, fieldNodes(node, "body"))] }] }] };
    }
    case "switch_expression": {
      const body = node.childForFieldName("body");
      const groups = body === null ? [] : named(body).filter(({ type }) => type.startsWith("switch_") && type !== "switch_label");
      const branches = groups.map((group): Expr => ({ kind: "block", ...reader.span(group), body: statementsOf(reader, named(group).filter(({ type }) => type !== "switch_label")) }));
      return { kind: "block", ...span, body: [...parts(reader, fieldNodes(node, "condition")), { kind: "choice", ...span, branches, loop: false }] };
    }
    case "try_statement":
    case "try_with_resources_statement": {
      const clauses = named(node).filter(({ type }) => type === "catch_clause" || type === "finally_clause");
      const blocks = clauses.map((clause) => ({ clause, block: named(clause).find(({ type }) => type === "block") }));
      const catches = blocks.flatMap(({ clause, block }) => (clause.type === "catch_clause" && block !== undefined ? [expr(reader, block)] : []));
      const last = blocks.flatMap(({ clause, block }) => (clause.type === "finally_clause" && block !== undefined ? [expr(reader, block)] : []));
      const resources = fieldNodes(node, "resources").flatMap(named).map((resource): Expr => {
        const value = resource.childForFieldName("value");
        return { kind: "let", ...reader.span(resource), name: nameOf(reader, resource), type: undefined, value: value === null ? undefined : expr(reader, value), element: false, changes: false };
      });
      return { kind: "block", ...span, body: [...resources, ...parts(reader, fieldNodes(node, "body")), ...(catches.length === 0 ? [] : [{ kind: "choice", ...span, branches: catches, loop: true } as const]), ...last] };
    }
    case "class_declaration":
    case "record_declaration":
    case "enum_declaration":
    case "interface_declaration":
      return { kind: "class", ...span, cls: classOf(reader, node) };
    case "ERROR":
      return { kind: "broken", ...span, value: undefined };
    default:
      return { kind: "other", ...span, parts: literal.has(node.type) ? [] : parts(reader, named(node)) };
  }
}

const literal = new Set(["true", "false", "type_identifier", "generic_type", "decimal_floating_point_literal", "hex_integer_literal", "character_literal", "class_literal", "modifiers", "integral_type"]);

/** Statements beside a syntax error may be a part of it. */
export function statementsOfBlock(reader: TreeReader, nodes: readonly SyntaxNode[], read: (node: SyntaxNode) => Expr): Expr[] {
  const there = nodes.filter((node) => !isComment(node));
  return there.flatMap((node, index) => {
    if (node.type === "ERROR") return [];
    const value = read(node);
    const beside = there[index - 1]?.type === "ERROR" || there[index + 1]?.type === "ERROR";
    return [beside && value.kind !== "broken" ? { kind: "broken", value, ...reader.span(node) } : value];
  });
}

function statementsOf(reader: TreeReader, nodes: readonly SyntaxNode[]): Expr[] {
  return statementsOfBlock(reader, nodes, (node) => expr(reader, node));
}

function fieldNodes(node: SyntaxNode, name: string): SyntaxNode[] {
  const child = node.childForFieldName(name);
  return child === null ? [] : [child];
}

function branchesOf(reader: TreeReader, node: SyntaxNode, names: readonly string[]): Expr[] {
  const there = names.flatMap((name) => fieldNodes(node, name));
  const read = parts(reader, there);
  return there.length === 1 ? [...read, { kind: "block", ...reader.span(node), body: [] }] : read;
}

function lambdaOf(reader: TreeReader, node: SyntaxNode): Lambda {
  const params = node.childForFieldName("parameters");
  const body = node.childForFieldName("body");
  return {
    kind: "lambda", ...reader.span(node),
    params: params === null ? [] : params.type === "identifier" ? [{ name: reader.slice(params), type: undefined, initial: undefined }] : paramsOf(reader, params),
    body: body === null ? { kind: "other", ...reader.span(node), parts: [] } : expr(reader, body),
  };
}
