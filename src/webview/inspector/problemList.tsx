import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { WireProblem } from "../../core/inspector/protocol";
import { countText } from "../../core/wording";
import type { Host } from "./inspector";

/** What is wrong with the bytes, each with its place; long lists are closed at first. */
export function ProblemList({ problems, count, host }: { readonly problems: readonly WireProblem[]; readonly count: number; readonly host: Host }): JSX.Element {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const [open, setOpen] = useState(problems.length <= 3 || errors > 0);
  return (
    <details class="problems" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{countText(count, "problem")}{count > problems.length ? `, the first ${problems.length}` : ""} <button type="button" class="link" onClick={(event) => {
        event.preventDefault();
        void host.call("copy", { what: "problems", text: JSON.stringify(problems, undefined, 2) });
      }}>Copy as JSON</button></summary>
      <ul>
        {[...problems].sort((a, b) => Number(b.severity === "error") - Number(a.severity === "error")).map((problem) => (
          <li key={`${problem.offset} ${problem.path} ${problem.code}`} class={problem.severity}>
            <span class="severity">{problem.severity}</span> <span class="text">{problem.text}</span> <span class="where">{problem.path === "" ? "" : `${problem.path}, `}byte {problem.offset.toLocaleString("en")}</span> <code>{problem.code}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}
