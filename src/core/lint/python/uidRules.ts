import type { FixData } from "../finding";
import { namesFor, type Report } from "./findings";
import type { Run } from "./run";
import { options, type Operator, type Place, type Turn, type UidCall } from "./values";

/** What is wrong with the uids that are set in a file. */
export function uidReports(path: string, run: Run): readonly Report[] {
  const all = [...run.operators.values()].flat().filter(({ broken }) => !broken);
  const here = all.flatMap((op) => op.uids.filter(({ at }) => at.path === path).map((uid) => ({ op, uid })));
  const first = new Map(here.map(({ op, uid }) => [uid.at.start, { op, uid }]));
  return [
    ...[...first.values()].flatMap(({ op, uid }) => valueReports(op, uid)),
    ...duplicates(path, all),
    ...overwritten(path, all),
    ...[...run.misplaced.values()].filter(({ at }) => at.path === path).map(({ at, kind, text }): Report => ({
      rule: "uid-on-non-operator", at, message: `\`${text}\` on the result of \`${kind}\` throws when the job starts: it is no operator. Set it on the operator before or behind.`,
    })),
  ];
}

function valueReports(op: Operator, uid: UidCall): Report[] {
  const { at } = uid;
  if (uid.call === "set_uid_hash") {
    return op.isSink
      ? [{ rule: "uid-hash-on-sink", at, message: "`set_uid_hash` throws on what `sink_to` returns. Keep the uid, and take its state over from the sink before it." }]
      : [{ rule: "uid-hash-left", at, message: "`set_uid_hash` finds the state of a savepoint with automatic ids. Remove it once a savepoint was taken under the new uid." }];
  }
  // Most uids need none.
  const fix = (): FixData => ({ kind: "replace-uid", start: uid.args.start + 1, end: uid.args.end - 1, names: namesFor(op) });
  const values = options(uid.value ?? { t: "none" });
  if (values.every(({ t }) => t === "none")) return [{ rule: "empty-uid", severity: "warning", at, message: "A uid that is None is no uid.", fix: fix() }];
  if (values.every((value) => value.t === "text" && value.value === "")) return [{ rule: "empty-uid", at, message: "Flink 2 refuses an empty uid.", fix: fix() }];
  for (const value of values) {
    if (value.t !== "text") continue;
    if (value.changes !== undefined) return [{ rule: "nondeterministic-uid", at, message: `This uid differs from run to run (\`${value.changes}\`), so no savepoint ever finds its state again.`, fix: fix() }];
    if (value.counter) return [{ rule: "nondeterministic-uid", severity: "warning", at, message: "This uid counts the passes of a loop: an entry more at its start gives the state of each operator to the next one. Use something of the entry itself." }];
  }
  return [];
}

/** Equal uids on two operators that are submitted together, on ways that do not exclude each other. */
function duplicates(path: string, all: readonly Operator[]): readonly Report[] {
  const found = new Map<number, Report>();
  const seen = new Map<string, { op: Operator; uid: UidCall }[]>();
  for (const op of all) {
    const uid = op.uids.filter(({ call }) => call === "uid").at(-1);
    const value = uid?.value?.t === "text" ? uid.value.value : undefined;
    // Of merged operators only the first one's uid counts, so theirs never collide.
    if (uid === undefined || value === undefined || value === "" || op.merged) continue;
    const group = seen.get(value) ?? [];
    seen.set(value, group);
    const other = group.find((before) => before.op.entry === op.entry && before.op.graph === op.graph && (op.graph !== undefined || uid.at.path === before.uid.at.path) && !exclude(before.op.turns, op.turns) && !exclude(before.uid.turns, uid.turns));
    if (other !== undefined && uid.at.path === path) {
      const again = other.uid.at.start === uid.at.start && other.uid.at.path === uid.at.path;
      found.set(uid.at.start, again
        ? { rule: "duplicate-uid", at: uid.at, message: `This runs more than once and sets the uid ${value} each time, so Flink refuses the job.` }
        : {
          rule: "duplicate-uid", at: uid.at, message: `The uid ${value} is set on another operator too, so Flink refuses the job.`, related: [{ at: other.uid.at, text: "It is set here first." }],
          fix: { kind: "replace-uid", start: uid.args.start + 1, end: uid.args.end - 1, names: [`${value}-2`] },
        });
    }
    group.push({ op, uid });
    const around = op.loops.filter((loop) => !(op.graph?.loops.some(({ id }) => id === loop.id) ?? false));
    if (around.length > 0 && uid.at.path === path && !found.has(uid.at.start) && op.graph !== undefined) {
      const sure = around.some((loop) => loop.sure);
      found.set(uid.at.start, { rule: "duplicate-uid", severity: sure ? "error" : "warning", at: uid.at, message: `This stands in a loop and sets the uid ${value} each time, so Flink refuses the job when the loop runs twice.` });
    }
  }
  return [...found.values()];
}

function exclude(some: readonly Turn[], others: readonly Turn[]): boolean {
  return some.some((turn) => others.some(({ at, way }) => at === turn.at && way !== turn.way));
}

/** A uid that another one on the same operator overwrites in any case. */
function overwritten(path: string, all: readonly Operator[]): readonly Report[] {
  const found = new Map<number, Report>();
  for (const op of all) {
    const uids = op.uids.filter(({ call }) => call === "uid");
    uids.forEach((uid, index) => {
      const next = uids[index + 1];
      if (next === undefined || uid.at.path !== path || next.turns.length !== uid.turns.length || next.turns.some((turn, at) => uid.turns[at]?.at !== turn.at || uid.turns[at].way !== turn.way)) return;
      if (next.at.start === uid.at.start) return;
      found.set(uid.at.start, {
        rule: "lost-uid", at: uid.at, message: "This uid is overwritten by the next one on the same operator.", related: [{ at: next.at, text: "This one counts." }],
        fix: { kind: "edits", title: "Remove the uid that is overwritten", edits: [removal(uid.whole)] },
      });
    });
  }
  return [...found.values()];
}

function removal(whole: Place): { readonly start: number; readonly end: number; readonly text: string } {
  return { start: whole.start - 1, end: whole.end, text: "" };
}
