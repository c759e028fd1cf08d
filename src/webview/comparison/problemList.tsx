import type { JSX } from "preact";
import type { ComparisonHead, SideHead } from "../../core/comparison/protocol";

/** What is wrong with either file, with its place in it. */
export function ProblemList({ head: { left, right } }: { readonly head: ComparisonHead }): JSX.Element | null {
  const count = left.problemCount + right.problemCount;
  if (count === 0) return null;
  const lines = (side: SideHead, word: string): JSX.Element[] => side.problems.map((problem, at) => (
    <li key={`${word} ${at}`} class={problem.severity}><span class="severity">{word}, {problem.severity}</span> {problem.text} <span class="where">at byte {problem.offset.toLocaleString("en")}{problem.path === "" ? "" : <>, <code>{problem.path}</code></>}</span></li>
  ));
  return (
    <details class="problems" open={left.snapshot === null || right.snapshot === null}>
      <summary>{count === 1 ? "1 problem" : `${count.toLocaleString("en")} problems`}</summary>
      <ul>{lines(left, "Before")}{lines(right, "After")}</ul>
    </details>
  );
}
