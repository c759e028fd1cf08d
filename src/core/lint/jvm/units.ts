import type { Expr, FieldModel, FunctionModel } from "./model";
import { Handles, type Trace } from "./operators";
import type { Value } from "./values";

/**
 * A file is followed in units: each function by itself, as a caller that is not seen would call it, and the fields of each class. What a unit brings to light
 * depends on the bodies it follows, on the fields others have written, and on what the index tells; a unit for which all that is as it was need not be followed
 * again, it brings to light the same.
 */
export interface Unit {
  readonly trace: Trace;
  /** Fields it read before it wrote them, with what it found. */
  readonly reads: readonly FieldValue[];
  readonly writes: readonly FieldValue[];
  /** Bodies it followed, and those it found missing. */
  readonly bodies: ReadonlyMap<FunctionModel | FieldModel, Expr | undefined>;
  /** Expressions it looked at. */
  readonly cost: number;
}

/** A field of a class or a file, and what it holds; undefined for nothing yet. */
interface FieldValue {
  readonly holder: object;
  readonly name: string;
  readonly value: Value | undefined;
}

/** The units of a file that is open in an editor, from one time it is looked at to the next. */
export class KeptUnits {
  readonly handles = new Handles();
  /** By what is followed, for each round. */
  units: readonly ReadonlyMap<object, Unit>[] = [];
  /** The index's `shapes` they hold for. */
  shapes = -1;
}

/** The values of fields as they stand. */
export class Fields {
  readonly #values = new Map<object, Map<string, Value>>();
  #reads: FieldValue[] = [];
  #written = new Map<object, Map<string, Value | undefined>>();
  #seen = new Map<object, Set<string>>();
  #repeatable = true;
  readonly #isNoted: boolean;

  /** `isNoted` tells whether anybody will ask what a unit has used. */
  constructor(isNoted: boolean) {
    this.#isNoted = isNoted;
  }

  /** Whether any field holds an operator. */
  get haveSites(): boolean {
    return [...this.#values.values()].some((fields) => [...fields.values()].some((value) => value.sites.length > 0));
  }

  get(holder: object, name: string): Value | undefined {
    const value = this.#values.get(holder)?.get(name);
    if (this.#isNoted && this.#first(holder, name)) this.#reads.push({ holder, name, value });
    return value;
  }

  /** Undefined takes it out. */
  set(holder: object, name: string, value: Value | undefined): void {
    if (this.#isNoted) this.#note(holder, name, value);
    this.#put(holder, name, value);
  }

  #note(holder: object, name: string, value: Value | undefined): void {
    this.#first(holder, name);
    const written = this.#written.get(holder);
    if (written === undefined) this.#written.set(holder, new Map([[name, value]]));
    else written.set(name, value);
    if (value !== undefined && holdsVariables(value)) this.#repeatable = false;
  }

  /** Begins another unit. */
  begin(): void {
    if (!this.#isNoted) return;
    this.#reads = [];
    this.#written = new Map();
    this.#seen = new Map();
    this.#repeatable = true;
  }

  /** What the unit at hand has read and written; undefined when it can't be repeated without following it. */
  get used(): Pick<Unit, "reads" | "writes"> | undefined {
    if (!this.#isNoted || !this.#repeatable) return undefined;
    return { reads: this.#reads, writes: [...this.#written].flatMap(([holder, values]) => [...values].map(([name, value]) => ({ holder, name, value }))) };
  }

  /** Whether a unit would read what it has read. */
  areAsRead(reads: readonly FieldValue[]): boolean {
    return reads.every(({ holder, name, value }) => same(this.#values.get(holder)?.get(name), value));
  }

  /** Writes what a unit has written. */
  write(writes: readonly FieldValue[]): void {
    for (const { holder, name, value } of writes) this.#put(holder, name, value);
  }

  #put(holder: object, name: string, value: Value | undefined): void {
    const fields = this.#values.get(holder);
    if (value === undefined) fields?.delete(name);
    else if (fields === undefined) this.#values.set(holder, new Map([[name, value]]));
    else fields.set(name, value);
  }

  #first(holder: object, name: string): boolean {
    const seen = this.#seen.get(holder);
    if (seen?.has(name) === true) return false;
    if (seen === undefined) this.#seen.set(holder, new Set([name]));
    else seen.add(name);
    return true;
  }
}

/** Whether a value holds a lambda with variables around it, which another unit may change when it follows that. */
function holdsVariables({ closure, element, parts, either, made }: Value): boolean {
  if (closure !== undefined && (closure.frame.parent !== undefined || closure.frame.vars.size > 0)) return true;
  return (element !== undefined && holdsVariables(element)) || parts?.some(holdsVariables) === true || either?.some(holdsVariables) === true || made?.calls.some(({ args }) => args.some(holdsVariables)) === true;
}

/** Whether two values are the same to whoever reads them; those that hold more than names and texts only when they are one object. */
function same(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || !isPlain(a) || !isPlain(b)) return false;
  return a.kind === b.kind && a.constant === b.constant && a.cls?.cls === b.cls?.cls && a.text?.value === b.text?.value && a.text?.varies === b.text?.varies && a.text?.variesAt === b.text?.variesAt
    && (a.type === b.type || JSON.stringify(a.type) === JSON.stringify(b.type));
}

function isPlain({ sites, closure, fun, made, element, parts, either, left, right, keyedAt }: Value): boolean {
  return sites.length === 0 && closure === undefined && fun === undefined && made === undefined && element === undefined && parts === undefined && either === undefined && left === undefined && right === undefined && keyedAt === undefined;
}
