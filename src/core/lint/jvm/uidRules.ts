import type { Finding, FixData } from "../finding";
import { namesFor } from "./fixNames";
import { findingAt, relatedAt } from "./findings";
import type { FileModel } from "./model";
import type { Evaluation, MadeCall } from "./operators";
import type { SiteFacts, UidCall, Value } from "./values";

/** What is wrong with the uids that are set, and with the sinks that take none. */
export function uidFindings(file: FileModel, evaluation: Evaluation): Finding[] {
  const calls = firstOf(evaluation.uidCalls.filter(({ place }) => place.file === file));
  const sitesOf = new Map<string, SiteFacts[]>();
  for (const site of evaluation.operators) {
    for (const key of site.uids.keys()) {
      const known = sitesOf.get(key);
      if (known === undefined) sitesOf.set(key, [site]);
      else known.push(site);
    }
  }
  return [
    ...calls.flatMap((call) => valueFindings(call, sitesOf.get(keyOf(call)) ?? [])),
    ...duplicates(file, evaluation, sitesOf),
    ...overwritten(file, evaluation),
    ...evaluation.misplaced.filter(({ place }) => place.file === file).map(({ place, on }) => findingAt("uid-on-non-operator", place, `A uid on ${on} throws when the job starts: it is no operator. Set it on the operator before or behind.`)),
    ...madeFindings(file, evaluation.made),
  ];
}

function valueFindings(call: UidCall, sites: readonly SiteFacts[]): Finding[] {
  // Most uids need none.
  const fix = (): FixData | undefined => call.argument === undefined ? undefined : { kind: "replace-uid", start: call.argument.start, end: call.argument.end, names: sites[0] === undefined ? ["operator"] : namesFor(sites[0]) };
  const onSink = call.isHash && sites.some(({ call: { name } }) => name === "sinkTo");
  if (onSink) return [findingAt("uid-hash-on-sink", call.place, "`setUidHash` throws on what `sinkTo` returns. Pass CustomSinkOperatorUidHashes to `sinkTo` instead.")];
  if (call.isHash && call.value?.value === undefined) return [];
  if (call.isHash) return [findingAt("uid-hash-left", call.place, "`setUidHash` finds the state of a savepoint with automatic ids. Remove it once a savepoint was taken under the new uid.")];
  if (call.isNull) return [{ ...findingAt("empty-uid", call.place, "A uid that is null is no uid.", [], fix()), severity: "warning" }];
  if (call.value?.value === "") return [findingAt("empty-uid", call.place, "Flink 2 refuses an empty uid.", [], fix())];
  if (call.value?.varies === true) return [findingAt("nondeterministic-uid", call.place, "This uid differs from run to run, so no savepoint ever finds its state again.", relatedAt(call.value.variesAt, "It changes here."), fix())];
  return [];
}

/** The same constant on two operators of one function, where both happen. */
function duplicates(file: FileModel, { uidCalls }: Evaluation, sitesOf: ReadonlyMap<string, readonly SiteFacts[]>): Finding[] {
  const found = new Map<string, Finding>();
  const usable = uidCalls.filter(({ value, isHash, place }) => !isHash && place.file === file && value?.value !== undefined && value.value !== "");
  for (const [, same] of groupBy(usable, ({ value }) => value?.value ?? "")) {
    for (const [, group] of groupBy(same, ({ owner, stack }) => `${owner?.file.path ?? ""}:${owner?.fun.base ?? 0}:${owner?.fun.span.start ?? 0}|${stack}`)) {
      const distinct = firstOf(group);
      distinct.forEach((call, at) => {
        const other = distinct.slice(0, at).find((earlier) => !disjoint(earlier, call) && !sameOperator(earlier, call, sitesOf));
        if (other === undefined) return;
        const fix: FixData | undefined = call.argument === undefined ? undefined : { kind: "replace-uid", start: call.argument.start, end: call.argument.end, names: [`${call.value?.value ?? "operator"}-2`] };
        found.set(keyOf(call), findingAt("duplicate-uid", call.place, `The uid ${call.value?.value ?? ""} is set on another operator too, so Flink refuses the job.`, relatedAt(other.place, "It is set here first."), fix));
      });
    }
    // A constant in a helper that one function calls twice.
    for (const [, group] of groupBy(same.filter(({ stack }) => stack !== ""), keyOf)) {
      for (const [, fromOne] of groupBy(group, ({ stack }) => stack.split("/").slice(0, -1).join("/"))) {
        const distinct = [...new Map(fromOne.map((call) => [call.stack, call])).values()];
        const [first, second] = distinct;
        if (first === undefined || second === undefined || first.owner === undefined || disjoint(first, second) || !sameCaller(first, second)) continue;
        found.set(keyOf(first), findingAt("duplicate-uid", first.place, `\`${first.owner.fun.name}\` is called more than once and sets the uid ${first.value?.value ?? ""} each time, so Flink refuses the job.`));
      }
    }
  }
  return [...found.values()];
}

/** Whether both calls of the helper stand in one member: their places lie in the same file, and no two mains are told apart otherwise. */
function sameCaller(a: UidCall, b: UidCall): boolean {
  return a.root !== undefined && a.root === b.root;
}

function disjoint(a: UidCall, b: UidCall): boolean {
  return a.path.some(([choice, branch]) => b.path.some(([other, otherBranch]) => choice === other && branch !== otherBranch)) || a.path.some(([, branch]) => branch === -1) || b.path.some(([, branch]) => branch === -1);
}

function sameOperator(a: UidCall, b: UidCall, sitesOf: ReadonlyMap<string, readonly SiteFacts[]>): boolean {
  return (sitesOf.get(keyOf(a)) ?? []).some(({ uids }) => uids.has(keyOf(b)));
}

/** Two uids in one chain of calls: the last one counts. */
function overwritten(file: FileModel, { operators }: Evaluation): Finding[] {
  const found = new Map<string, Finding>();
  for (const site of operators) {
    const uids = [...site.uids.values()].filter(({ isHash, place, isNull }) => !isHash && !isNull && place.file === file).sort((a, b) => a.place.start - b.place.start);
    uids.forEach((uid, at) => {
      const next = uids[at + 1];
      if (next === undefined || next.path.length > 0 || uid.path.length > 0 || next.stack !== uid.stack || next.chain !== uid.chain) return;
      const fix: FixData = { kind: "edits", title: "Remove the uid that is overwritten", edits: [{ start: uid.removable.start, end: uid.removable.end, text: "" }] };
      found.set(keyOf(uid), findingAt("lost-uid", uid.place, "This uid is overwritten by the next one on the same operator.", relatedAt(next.place, "This one counts."), fix));
    });
  }
  return [...found.values()];
}

function madeFindings(file: FileModel, made: readonly MadeCall[]): Finding[] {
  const here = made.filter(({ place }) => place.file === file);
  const called = (value: Value, name: string): boolean => value.made?.calls.some((call) => call.name === name) === true;
  return here.flatMap(({ root, name, place, value }) => {
    if (root === "FlinkSink" && name === "append" && called(value, "append") && ["forRow", "forRowData", "builderFor"].some((start) => called(value, start)) && !called(value, "uidPrefix")) {
      const dot = place.start - 1;
      return [findingAt("iceberg-uid-prefix", place, "This Iceberg sink has no `uidPrefix`, so its committer loses its state when the job changes.", [], { kind: "insert-uid", insertAt: dot, before: ".uidPrefix(", after: ")", names: ["iceberg"], keepState: false })];
    }
    if (root === "KafkaSink" && name === "build" && exactlyOnce(value) && !called(value, "setTransactionalIdPrefix") && !called(value, "setProperty") && !called(value, "setKafkaProducerConfig")) {
      return [findingAt("kafka-transactional-id", place, "An exactly-once KafkaSink needs a transactional id prefix of its own: `setTransactionalIdPrefix`.")];
    }
    if (root === "KafkaSource" && name === "setGroupId" && value.made?.calls.at(-1)?.args[0]?.text?.varies === true) {
      return [findingAt("kafka-random-group-id", place, "This group id differs from run to run, so committed offsets are never found again.")];
    }
    return [];
  });
}

function exactlyOnce(value: Value): boolean {
  return value.made?.calls.some(({ name, args }) => (name === "setDeliveryGuarantee" || name === "setDeliverGuarantee") && args[0]?.made?.root === "DeliveryGuarantee" && args[0].made.calls[0]?.name === "EXACTLY_ONCE") === true;
}

function keyOf(call: UidCall): string {
  return call.place.key;
}

/** Each place once, in order. */
function firstOf(calls: readonly UidCall[]): UidCall[] {
  return [...new Map(calls.map((call) => [keyOf(call), call])).values()].sort((a, b) => a.place.start - b.place.start);
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const list = groups.get(key(item));
    if (list === undefined) groups.set(key(item), [item]);
    else list.push(item);
  }
  return groups;
}
