import { lastOf } from "./builtins";
import type { ClassLookup } from "./flinkCalls";
import type { ClassValue, Place, Scope, Value } from "./values";

/** Bases of bases that are followed. */
const classDepthLimit = 12;

/** What classes inherit. `lookup` finds a name in a scope, `attribute` one of a value. */
export class Classes implements ClassLookup {
  readonly #lookup: (scope: Scope, name: string) => Value;
  readonly #attribute: (value: Value, name: string) => Value;

  constructor(lookup: (scope: Scope, name: string) => Value, attribute: (value: Value, name: string) => Value) {
    this.#lookup = lookup;
    this.#attribute = attribute;
  }

  flinkBases(cls: ClassValue, depth = 0): readonly string[] {
    if (depth > classDepthLimit) return [];
    return this.bases(cls).flatMap((base) => (base.t === "foreign" && base.path.startsWith("pyflink.") && !base.path.startsWith("pyflink.table") ? [lastOf(base.path)] : base.t === "class" ? [...this.flinkBases(base, depth + 1)] : []));
  }

  stateOf(cls: ClassValue, depth = 0): { readonly at: Place | undefined; readonly asks: boolean; readonly unseen: boolean } {
    if (cls.model.asksForState) {
      const span = cls.model.stateAt;
      return { asks: true, unseen: false, at: span === undefined ? undefined : { path: cls.scope.path, start: cls.base + span.start, end: cls.base + span.end } };
    }
    let unseen = false;
    if (depth <= classDepthLimit) {
      for (const base of this.bases(cls)) {
        if (base.t === "class") {
          const state = this.stateOf(base, depth + 1);
          if (state.asks) return state;
          unseen ||= state.unseen;
        } else if (base.t !== "foreign") unseen = true;
        else if (!base.path.startsWith("pyflink.") && !/^(?:abc|typing|builtins|object|dataclasses)\b/.test(base.path)) unseen = true;
      }
    }
    return { asks: false, unseen, at: undefined };
  }

  /** What a class names as its bases, as far as that is known. */
  bases(cls: ClassValue): readonly Value[] {
    return cls.model.bases.map((base) => {
      const [first, ...rest] = base.split(".");
      return rest.reduce<Value>((value, name) => this.#attribute(value, name), this.#lookup(cls.scope, first ?? ""));
    });
  }

  /** The type of an attribute as the class, or one it extends, writes it. */
  annotation(cls: ClassValue, name: string, depth = 0): string | undefined {
    const own = cls.annotations.get(name);
    if (own !== undefined || depth > classDepthLimit) return own;
    for (const base of this.bases(cls)) {
      const found = base.t === "class" ? this.annotation(base, name, depth + 1) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A method or a value of the class, or of one it extends. */
  member(cls: ClassValue, name: string, depth = 0): Value | undefined {
    const own = cls.attributes.get(name);
    if (own !== undefined || depth > classDepthLimit) return own;
    for (const base of this.bases(cls)) {
      const found = base.t === "class" ? this.member(base, name, depth + 1) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
