import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { automaticFilter, otherIdFilter } from "../../core/inspector/filters";
import type { SavepointFacts } from "../../core/inspector/inspectorPage";
import type { Head, SnapshotHead } from "../../core/inspector/protocol";
import { countText, sizeText, timeText } from "../../core/wording";
import { FileLine } from "./fileLine";
import type { Host } from "./inspector";
import type { PageState } from "./pageState";
import { useAnswer } from "./useAnswer";

interface HeadProps {
  readonly head: Head;
  readonly reading: number;
  readonly facts: SavepointFacts | undefined;
  readonly host: Host;
  readonly gone: boolean;
  change(part: Partial<PageState>): void;
}

/** The answer: what it is, when and of which job, how big, whether it is whole, and what to mind. */
export function HeadLines({ head, reading, facts, host, gone, change }: HeadProps): JSX.Element {
  const { snapshot, file } = head;
  return (
    <header class="head">
      <div class="title">
        <h1>{titleOf(snapshot, facts)}</h1>
        <span class="buttons">
          {snapshot === null ? <button type="button" class="button secondary" onClick={() => void host.call("run", { action: "openWith" })}>Open with…</button> : null}
          <button type="button" class="button secondary" onClick={() => void host.call("copy", { what: "path", text: file.location })}>Copy path</button>
          {snapshot === null ? null : <button type="button" class="button secondary" onClick={() => void host.call("copyJson", { row: null })}>Copy as JSON</button>}
          <button type="button" class="button secondary" onClick={() => void host.call("reveal", { path: null })}>Reveal file</button>
          {facts?.actions.includes("restore") === true ? <button type="button" class="button" onClick={() => void host.call("run", { action: "restore" })}>Restore…</button> : null}
        </span>
      </div>
      <p class="line" title={facts?.takenAtMs === null || facts === undefined ? "When the file was written" : "When the savepoint was complete"}>
        {lineOf(head, facts).map((part, at) => <span key={part}>{at === 0 ? "" : " · "}{part}</span>)}
        {snapshot === null ? null : <FileLine host={host} snapshot={snapshot} reading={reading} />}
      </p>
      {snapshot === null ? null : <Containment host={host} reading={reading} />}
      {snapshot === null ? null : <Pairs host={host} reading={reading} />}
      {gone ? <p class="note" role="alert">The file is gone. What is shown was read before.</p> : null}
      {snapshot === null ? null : notesOf(snapshot).map(({ text, filter }) => (
        <p class="note" key={text}>{text} {filter === null ? null : <button type="button" class="link" onClick={() => change({ filter, scrollTop: 0 })}>Show</button>}</p>
      ))}
    </header>
  );
}

/** Whether the folder stands alone, with the reasons one click away. */
function Containment({ host, reading }: { readonly host: Host; readonly reading: number }): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const { value } = useAnswer(`${reading}`, (signal) => host.call("selfContained", {}, signal));
  if (value === undefined || value === null) return <p class="line">&nbsp;</p>;
  return (
    <div class="contained">
      <p class="line">
        {value.text} {value.report.reasons.length === 0 ? null : <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? "Hide" : "Why"}</button>}
      </p>
      {open ? (
        <ul class="reasons">
          {value.report.reasons.map((reason) => <li key={reason.reason}>{reason.message} {sizeText(Number(reason.sizeBytes))} <span class="where">such as {reason.example}</span></li>)}
        </ul>
      ) : null}
    </div>
  );
}

/** What of Paimon's tables belongs to the savepoint; nothing for one without a sink of Paimon. */
function Pairs({ host, reading }: { readonly host: Host; readonly reading: number }): JSX.Element | null {
  const [open, setOpen] = useState(false);
  const { value } = useAnswer(`${reading}`, (signal) => host.call("pairs", {}, signal));
  if (value === undefined || value === null) return null;
  const { rows, action } = value;
  return (
    <section class="contained" aria-label="Paimon">
      <p class="line">
        Writes Paimon: {rows.map(({ title, text }, at) => <span key={title}>{at === 0 ? "" : "; "}<b>{title}</b> {text}</span>)}{" "}
        <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? "Hide Why" : "Why"}</button>
        {action === null ? null : <>{" · "}<button type="button" class="link" onClick={() => void host.call("run", { action })}>{action === "showPairs" ? "Show Pairs" : "Add Warehouse…"}</button></>}
      </p>
      {open ? <ul class="reasons">{rows.flatMap(({ title, grade, reasons }) => reasons.map((reason) => <li key={`${title} ${reason}`}>{title}, {grade}: {reason}</li>))}</ul> : null}
    </section>
  );
}

function titleOf(snapshot: SnapshotHead | null, facts: SavepointFacts | undefined): string {
  if (snapshot === null) return "This can't be read as Flink metadata";
  const { writers } = snapshot;
  const flink = writers === null ? null : `Flink ${writers.from === writers.to ? writers.from : `${writers.from} to ${writers.to}`} (format ${snapshot.version})`;
  const job = facts?.job.name ?? (facts?.job.id === null || facts?.job.id === undefined ? null : `job ${facts.job.id.slice(0, 6)}`);
  return [`#${snapshot.checkpointId}`, job, snapshot.kind === "unknown" ? "kind not known" : snapshot.kind, flink ?? `format ${snapshot.version}`].filter((part) => part !== null).join(" · ");
}

function lineOf({ snapshot, file }: Head, facts: SavepointFacts | undefined): readonly string[] {
  const parts = [timeText(facts?.takenAtMs ?? file.modifiedAtMs)];
  if (facts !== undefined && facts.description !== "") parts.push(`“${facts.description}”`);
  if (facts?.pinned === true) parts.push("pinned");
  if (snapshot !== null) {
    parts.push(`${sizeText(snapshot.stateBytes)} of state`, countText(snapshot.announced, "operator"));
    if (snapshot.inlineBytes > 0) parts.push(`${sizeText(snapshot.inlineBytes)} inside the metadata`);
  }
  parts.push(`_metadata ${sizeText(file.sizeBytes)}`);
  return parts;
}

interface Note {
  readonly text: string;
  /** Shows the operators that it is about. */
  readonly filter: string | null;
}

function notesOf(snapshot: SnapshotHead): readonly Note[] {
  const notes: Note[] = [];
  const { automatic, uidDiffers } = snapshot;
  if (!snapshot.whole) notes.push({ text: `The file breaks off: ${snapshot.operators.toLocaleString("en")} of ${countText(snapshot.announced, "operator")} could be read${snapshot.lastIsWhole ? "" : ", the last one in part"}.`, filter: null });
  if (automatic !== null && automatic > 0) notes.push({ text: `${countText(automatic, "operator")} ${automatic === 1 ? "has an automatic id: its" : "have automatic ids: their"} state is lost when the job changes shape.`, filter: automaticFilter });
  if (uidDiffers > 0) notes.push({ text: `${countText(uidDiffers, "operator")} ${uidDiffers === 1 ? "has an id that its uid does" : "have ids that their uids do"} not give.`, filter: otherIdFilter });
  if (snapshot.unclaimed) notes.push({ text: "Taken while the savepoint that the job was restored from was not yet released (NO_CLAIM).", filter: null });
  return notes;
}
