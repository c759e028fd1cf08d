import type { JSX } from "preact";
import type { ComparedNames } from "../../core/comparison/comparisonPage";
import type { ComparisonHead, SideFacts, SideHead } from "../../core/comparison/protocol";
import { sizeText, timeText } from "../../core/wording";
import type { Host } from "./differenceTable";
import { countDelta, deltaText } from "./texts";

type Name = ComparedNames["left"] | undefined;

interface SidesProps {
  readonly head: ComparisonHead;
  readonly left: Name;
  readonly right: Name;
  readonly swapped: boolean;
  readonly host: Host;
}

/** The two savepoints beside each other, and what differs in all. */
export function Sides({ head, left, right, swapped, host }: SidesProps): JSX.Element {
  const [one, other] = [head.left.snapshot, head.right.snapshot];
  const line = (name: string, value: (facts: SideFacts) => number, text: (value: number) => string, delta: (value: number) => string): JSX.Element => (
    <tr class={one !== null && other !== null && value(one) !== value(other) ? "differs" : ""}>
      <th scope="row">{name}</th><td>{one === null ? "" : text(value(one))}</td><td>{other === null ? "" : text(value(other))}</td><td class="number">{one === null || other === null ? "" : delta(value(other) - value(one))}</td>
    </tr>
  );
  const count = (value: number): string => value.toLocaleString("en");
  const inspect = (side: "left" | "right"): void => void host.call("run", { action: side === "left" ? "inspectLeft" : "inspectRight", swapped });
  return (
    <table class="pairs sides">
      <caption class="hidden">The two savepoints</caption>
      <thead>
        <tr><td /><SideTitle word="Before" side={head.left} name={left} inspect={() => inspect("left")} /><SideTitle word="After" side={head.right} name={right} inspect={() => inspect("right")} /><th scope="col" class="number">Difference</th></tr>
      </thead>
      <tbody>
        <tr class={one?.kind !== other?.kind || one?.version !== other?.version ? "differs" : ""}><th scope="row">What</th><td>{kindText(one)}</td><td>{kindText(other)}</td><td /></tr>
        {left?.takenAtMs !== null || right?.takenAtMs !== null ? <tr><th scope="row">Taken</th><td>{whenText(left)}</td><td>{whenText(right)}</td><td /></tr> : null}
        {line("State", ({ stateBytes }) => stateBytes, sizeText, deltaText)}
        {line("Operators", ({ operators }) => operators, count, countDelta)}
        {line("Subtasks", ({ subtasks }) => subtasks, count, countDelta)}
        {line("Files", ({ files }) => files, count, countDelta)}
      </tbody>
    </table>
  );
}

function SideTitle({ word, side, name, inspect }: { readonly word: string; readonly side: SideHead; readonly name: Name; inspect(): void }): JSX.Element {
  const label = name?.name ?? (side.snapshot === null ? side.location : `#${side.snapshot.checkpointId}`);
  const number = side.snapshot === null ? null : `#${side.snapshot.checkpointId}`;
  return (
    <th scope="col" title={side.location}>
      <span class="second">{word}</span> {label}{number === null || number === label ? null : ` (${number})`}{name?.jobName === null || name === undefined ? null : <span class="second"> {name.jobName}</span>} <button type="button" class="link" onClick={inspect} aria-label={`Inspect ${label}`}>Inspect</button>
    </th>
  );
}

function kindText(facts: SideFacts | null): string {
  if (facts === null) return "can't be read as Flink metadata";
  const { kind, version, writers } = facts;
  return `${kind} · ${writers === null ? "" : `Flink ${writers.from === writers.to ? writers.from : `${writers.from} to ${writers.to}`}, `}format ${version}`;
}

function whenText(name: Name): string {
  return name?.takenAtMs === null || name === undefined ? "not known" : timeText(name.takenAtMs);
}
