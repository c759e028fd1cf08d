import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { DifferenceDetail, DifferenceRow, SideOperator, StateLine, StateSide } from "../../core/comparison/protocol";
import { kindNames } from "../../core/inspector/sizes";
import { sizeText } from "../../core/wording";
import type { Host } from "./differenceTable";
import { changeSigns, changeText, deltaText, nameParts } from "./texts";

interface DetailProps {
  readonly host: Host;
  readonly at: number;
  readonly swapped: boolean;
  /** Changes when there is more to know. */
  readonly reading: number;
  close(): void;
}

/** One operator on both sides, fact by fact and state by state. */
export function DifferencePanel({ host, at, swapped, reading, close }: DetailProps): JSX.Element | null {
  const [detail, setDetail] = useState<DifferenceDetail | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    host.call("row", { swapped, at }, abort.signal).then(setDetail, () => undefined);
    return () => abort.abort();
  }, [at, swapped, reading]);
  if (detail === null) return null;
  const { row, sizes, states, notes } = detail;
  const { label } = nameParts(row);
  return (
    <section class="difference" aria-label={`${label}, ${changeText(row)}`}>
      <div class="title">
        <h2><span class={`change ${row.change}`}>{label}</span> <span class="second">{explanationOf(row)}</span></h2>
        <button type="button" class="close" aria-label="Close the details" title="Close" onClick={close}>✕</button>
      </div>
      <div class="columns">
        <table class="pairs">
          <caption class="hidden">Facts</caption>
          <thead><tr><td /><th scope="col">Before</th><th scope="col">After</th></tr></thead>
          <tbody>
            <Fact name="Uid" row={row} text={(side) => side.uid} code />
            <Fact name="Id" row={row} text={(side) => side.id} code />
            <Fact name="Name" row={row} text={(side) => side.name} />
            <Fact name="Parallelism" row={row} text={(side) => side.parallelism.toLocaleString("en")} />
            <Fact name="Max parallelism" row={row} text={(side) => side.maxParallelism.toLocaleString("en")} />
            <Fact name="Subtasks in the file" row={row} text={(side) => (side.finished ? "finished" : side.subtasks.toLocaleString("en"))} />
            {sizes.map(({ kind, leftBytes, rightBytes }) => (
              <tr key={kind} class={leftBytes === rightBytes ? "" : "differs"}>
                <th scope="row">{kindNames[kind].charAt(0).toUpperCase() + kindNames[kind].slice(1)}</th><td>{row.left === null ? "" : <Bytes bytes={leftBytes} />}</td><td>{row.right === null ? "" : <Bytes bytes={rightBytes} />} {row.left !== null && row.right !== null && leftBytes !== rightBytes ? <span class="second">{deltaText(rightBytes - leftBytes)}</span> : null}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <div class="states">
          {states === null ? <p class="second" role="status">Reading its states…</p> : states.length === 0 ? <p class="second">{notes.length > 0 ? "Its states are not known." : "It has no named state."}</p> : <StateTable states={states} />}
          {notes.map((note) => <p class="note" key={note}>{note}</p>)}
        </div>
      </div>
    </section>
  );
}

function explanationOf({ change, matchedBy, changes }: DifferenceRow): string {
  if (change === "added") return "is new: it is not in the savepoint before.";
  if (change === "removed") return "is gone: nothing takes its state over unless its uid comes back.";
  if (matchedBy === "uid") return "has the same uid and another id.";
  if (matchedBy === "name") return "has the same name and another uid and id, so its state is not found by a restore.";
  return changes.length === 0 ? "has not changed." : `differs in ${changes.map((one) => (one === "maxParallelism" ? "max parallelism" : one === "fullyFinished" ? "being finished" : one)).join(", ")}.`;
}

function Fact({ name, row: { left, right }, text, code }: { readonly name: string; readonly row: DifferenceRow; text(side: SideOperator): string | null; readonly code?: boolean }): JSX.Element | null {
  const [one, other] = [left === null ? null : text(left), right === null ? null : text(right)];
  if (one === null && other === null) return null;
  const differs = left !== null && right !== null && one !== other;
  const cell = (value: string | null, has: boolean): JSX.Element => <td>{!has ? "" : value === null ? <span class="none">none</span> : code === true ? <code>{value}</code> : value}</td>;
  return <tr class={differs ? "differs" : ""}><th scope="row">{name}</th>{cell(one, left !== null)}{cell(other, right !== null)}</tr>;
}

function Bytes({ bytes }: { readonly bytes: number }): JSX.Element {
  return bytes === 0 ? <span class="none">–</span> : <span title={`${bytes.toLocaleString("en")} bytes`}>{sizeText(bytes)}</span>;
}

function StateTable({ states }: { readonly states: readonly StateLine[] }): JSX.Element {
  const keys = [...new Set(states.flatMap(({ left, right }) => [left, right]).flatMap((side) => keyOf(side) ?? []))];
  // One key type for all is said once.
  const key = keys.length === 1 ? keys[0] : undefined;
  const ordered = [...states.filter(({ change }) => change !== "same"), ...states.filter(({ change }) => change === "same")];
  return (
    <>
      {key === undefined ? null : <p class="key"><span class="second">All keyed by</span> <code>{key}</code></p>}
      <table class="pairs">
        <caption class="hidden">States</caption>
        <thead><tr><th scope="col">State</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
        <tbody>
          {ordered.map(({ name, change, left, right }) => (
            <tr key={name} class={change === "same" ? "" : "differs"}>
              <th scope="row"><span class={`change ${change}`} title={change === "same" ? "unchanged" : change}><span class="sign" aria-hidden="true">{changeSigns[change]}</span>{name}<span class="hidden">, {change === "same" ? "unchanged" : change}</span></span></th>
              {change === "same" && left !== null ? <td colSpan={2}><Types side={left} other={right} withKey={key === undefined} /></td> : (
                <>
                  <td>{left === null ? null : <Types side={left} other={right} withKey={key === undefined} />}</td>
                  <td>{right === null ? null : <Types side={right} other={left} withKey={key === undefined} />}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function keyOf(side: StateSide | null): string | undefined {
  return side?.types.find(({ of }) => of === "key")?.text;
}

/** Kind and types; what the other side has differently is marked. A type that begins with the kind says it already. */
function Types({ side, other, withKey }: { readonly side: StateSide; readonly other: StateSide | null; readonly withKey: boolean }): JSX.Element {
  const types = side.types.filter(({ of }) => withKey || of !== "key");
  const value = types.find(({ of }) => of === "value")?.text ?? "";
  const saysKind = value.startsWith(`${side.kind}<`) && (other === null || other.kind === side.kind);
  return (
    <span class="types">
      {saysKind ? null : <span class={other !== null && other.kind !== side.kind ? "mark" : ""}>{side.kind}</span>}
      {types.map(({ of, text }) => <span key={of}> {of === "value" ? null : <span class="second">{of} </span>}<code class={other !== null && other.types.find((type) => type.of === of)?.text !== text ? "mark" : ""}>{text}</code></span>)}
    </span>
  );
}
