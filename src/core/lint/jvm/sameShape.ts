import { anchorOf } from "./anchors";
import type { ClassModel, FieldModel, FileModel, FunctionModel, Param } from "./model";

/**
 * The file as it is after an edit. Where that changed nothing but what bodies hold and where they stand, it is the very object of before, and so are its
 * classes, functions and fields, with what is new put into them: whoever knows one goes on knowing it, and all that can be asked of the file by name has
 * the answer of before. `before` must not be used otherwise afterwards.
 */
export function takenOver(before: FileModel, now: FileModel): FileModel {
  const same = before.path === now.path && before.packageName === now.packageName && equal([...before.imports, before.wildcards], [...now.imports, now.wildcards])
    && before.initial.length === now.initial.length && pairs(before.functions, now.functions, sameFunction) && pairs(before.fields, now.fields, sameField) && pairs(before.classes, now.classes, sameClass);
  if (!same) return now;
  const { called, lineStarts, suppressions, nodes } = now;
  Object.assign(before, { called, lineStarts, suppressions, nodes });
  // All is looked up before anything is put in, since what was taken over is in both.
  const puts: [object, object][] = [];
  holders(before, now, puts);
  for (const [into, what] of puts) Object.assign(into, what);
  return before;
}

function holders(before: Pick<FileModel, "functions" | "initial" | "fields" | "classes">, now: typeof before, puts: [object, object][]): void {
  const functions = (a: FunctionModel, b: FunctionModel): void => {
    if (isTakenOver(a, b)) {
      if (a.base === b.base) return;
      puts.push([a, { base: b.base }]);
    } else puts.push([a, { ...b }]);
    if (b.body !== undefined) anchorOf(b.body, b.base);
  };
  each(before.functions, now.functions, functions);
  each(before.initial, now.initial, functions);
  each(before.fields, now.fields, (a, { value, base }) => {
    if (a.value === value && a.base === base) return;
    puts.push([a, { value, base }]);
    if (value !== undefined) anchorOf(value, base);
  });
  each(before.classes, now.classes, (a, b) => {
    if (a === b) return;
    puts.push([a, { span: b.span, base: b.base, features: b.features }]);
    holders(a, b, puts);
  });
}

/** Whether an edit left a function alone, but for its place: then it has the very parameters. */
function isTakenOver(a: FunctionModel, b: FunctionModel): boolean {
  return a === b || (a.params === b.params && a.body === b.body);
}

function sameFunction(a: FunctionModel, b: FunctionModel): boolean {
  return isTakenOver(a, b) || (a.name === b.name && a.hasBody === b.hasBody && equal([a.params, a.receiver, a.returns, a.suppressed], [b.params, b.receiver, b.returns, b.suppressed]));
}

function sameField(a: FieldModel, b: FieldModel): boolean {
  return a === b || (a.name === b.name && (a.type === b.type || equal(a.type, b.type)));
}

function sameClass(a: ClassModel, b: ClassModel): boolean {
  return a === b || (
    a.name === b.name && a.kind === b.kind && (a.base === -1) === (b.base === -1) && (sameHead(a, b) || equal(headOf(a), headOf(b))) && a.initial.length === b.initial.length
    && pairs(a.fields, b.fields, sameField) && pairs(a.functions, b.functions, sameFunction) && pairs(a.classes, b.classes, sameClass)
  );
}

/** Whether an edit left a class alone, but for its place. */
function sameHead(a: ClassModel, b: ClassModel): boolean {
  return a.supers === b.supers && a.params === b.params && a.constants === b.constants && a.features === b.features && a.suppressed === b.suppressed;
}

/** What is asked of a class but its members; where its state is declared is only told. */
function headOf({ supers, params, constants, features, suppressed }: ClassModel): unknown {
  const paramOf = ({ name, type, initial, many }: Param): unknown => [name, type, initial === undefined, many];
  return [supers, params.map(paramOf), constants.map(({ name, args }) => [name, args.map((arg) => (arg.kind === "text" ? [arg.value] : arg.kind))]), { ...features, stateAt: features.stateAt !== undefined }, suppressed];
}

function pairs<T>(before: readonly T[], now: readonly T[], same: (a: T, b: T) => boolean): boolean {
  return before === now || (before.length === now.length && before.every((one, at) => same(one, now[at] as T)));
}

function each<T>(before: readonly T[], now: readonly T[], take: (before: T, now: T) => void): void {
  before.forEach((one, at) => take(one, now[at] as T));
}

/** Whether plain data is the same. */
function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
