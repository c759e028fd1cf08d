import type { Report } from "./findings";
import type { Chunk, PythonFacts } from "./model";

const changing = /\buuid\.?(?:uuid)?[14]\s*\(|\buuid[14]\s*\(|\btime\.time(?:_ns)?\s*\(|\b(?:datetime|date)\.(?:now|utcnow|today)\s*\(|\brandom\.\w+\s*\(|\bgetpid\s*\(|\bhash\s*\(|\bid\s*\(/;

/** What is wrong with the names of states. */
export function stateReports(facts: PythonFacts): readonly Report[] {
  const reports: Report[] = [];
  const visit = (chunks: readonly Chunk[], base: number): void => {
    for (const { start, statement } of chunks) {
      if (statement.s !== "class") continue;
      const from = base + start;
      const byName = new Map<string, (typeof statement.descriptors)[number]>();
      for (const descriptor of statement.descriptors) {
        const at = { start: from + descriptor.nameAt.start, end: from + descriptor.nameAt.end };
        if (descriptor.name === undefined && changing.test(descriptor.expression)) reports.push({ rule: "state-name-nondeterministic", at, message: "The name of this state differs from run to run, so no savepoint ever finds it again." });
        if (descriptor.name === undefined) continue;
        const before = byName.get(descriptor.name);
        if (before === undefined) byName.set(descriptor.name, descriptor);
        else if (before.kind !== descriptor.kind || before.type !== descriptor.type) {
          reports.push({
            rule: "state-name-duplicate", at, message: `Another state of ${statement.name} is called ${descriptor.name} too, with another type.`,
            related: [{ at: { path: facts.path, start: from + before.nameAt.start, end: from + before.nameAt.end }, text: "It is declared here first." }],
          });
        }
      }
      visit(statement.members, from);
    }
  };
  visit(facts.chunks, 0);
  return reports;
}
