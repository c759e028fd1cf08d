import type { Node } from "web-tree-sitter";
import type { SyntaxNode, SyntaxPoint } from "../../core/lint/syntax";

/** A node that asks the parser for each thing once: web-tree-sitter crosses into WebAssembly at every look, also for a node's type. */
export class RememberingNode implements SyntaxNode {
  readonly #node: Node;
  readonly startIndex: number;
  #type: string | undefined;
  #endIndex: number | undefined;
  #isNamed: boolean | undefined;
  #children: readonly SyntaxNode[] | undefined;
  #namedChildren: readonly SyntaxNode[] | undefined;

  constructor(node: Node, isNamed?: boolean) {
    this.#node = node;
    this.startIndex = node.startIndex;
    this.#isNamed = isNamed;
  }

  get id(): number {
    return this.#node.id;
  }

  get type(): string {
    return this.#type ??= this.#node.type;
  }

  get endIndex(): number {
    return this.#endIndex ??= this.#node.endIndex;
  }

  get isNamed(): boolean {
    return this.#isNamed ??= this.#node.isNamed;
  }

  get isError(): boolean {
    return this.#node.isError;
  }

  get isMissing(): boolean {
    return this.#node.isMissing;
  }

  get hasError(): boolean {
    return this.#node.hasError;
  }

  get startPosition(): SyntaxPoint {
    return this.#node.startPosition;
  }

  get endPosition(): SyntaxPoint {
    return this.#node.endPosition;
  }

  get children(): readonly SyntaxNode[] {
    return this.#children ??= this.#node.children.map((child) => new RememberingNode(child));
  }

  get namedChildren(): readonly SyntaxNode[] {
    return this.#namedChildren ??= this.#node.namedChildren.map((child) => new RememberingNode(child, true));
  }

  get parent(): SyntaxNode | null {
    return this.#node.parent === null ? null : new RememberingNode(this.#node.parent);
  }

  childForFieldName(name: string): SyntaxNode | null {
    const child = this.#node.childForFieldName(name);
    return child === null ? null : new RememberingNode(child);
  }
}
