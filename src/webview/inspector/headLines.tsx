import type { JSX } from "preact";
import type { SavepointFacts } from "../../core/inspector/page";
import type { Head, SnapshotHead } from "../../core/inspector/protocol";
import { countText, sizeText, timeText } from "../../core/wording";
import type { Host } from "./inspector";
import type { PageState } from "./pageState";

interface HeadProps {
  readonly head: Head;
  readonly facts: SavepointFacts | undefined;
  readonly host: Host;
  readonly gone: boolean;
  readonly page: PageState;
  change(part: Partial<PageState>): void;
}

/** The answer: what it is, when and of which job, how big, and what to mind. */
export function HeadLines({ head, facts, host, gone }: HeadProps): JSX.Element {
  const { snapshot, file } = head;
  return (
    <header class="head">
      <div class="title">
        <h1>{titleOf(snapshot, facts)}</h1>
        <span class="buttons">
          <button type="button" class="button secondary" onClick={() => void host.call("copy", { what: "path", text: file.location })}>Copy path</button>
          <button type="button" class="button secondary" onClick={() => void host.call("reveal", { path: null })}>Reveal file</button>
          {facts?.actions.includes("restore") === true ? <button type="button" class="button" onClick={() => void host.call("run", { action: "restore" })}>Restore…</button> : null}
        </span>
      </div>
      <p class="line">{lineOf(head, facts)}</p>
      {gone ? <p class="note" role="alert">The file is gone. What is shown was read before.</p> : null}
      {snapshot === null ? null : notesOf(snapshot).map((note) => <p class="note" key={note}>{note}</p>)}
    </header>
  );
}

function titleOf(snapshot: SnapshotHead | null, facts: SavepointFacts | undefined): string {
  if (snapshot === null) return "This can't be read as Flink metadata";
  const { writers } = snapshot;
  const flink = writers === null ? null : `Flink ${writers.from === writers.to ? writers.from : `${writers.from} to ${writers.to}`} (format ${snapshot.version})`;
  const job = facts?.job.name ?? (facts?.job.id === null || facts?.job.id === undefined ? null : `job ${facts.job.id.slice(0, 6)}`);
  return [`#${snapshot.checkpointId}`, job, snapshot.kind === "unknown" ? "kind not known" : snapshot.kind, flink ?? `format ${snapshot.version}`].filter((part) => part !== null).join(" · ");
}

function lineOf({ snapshot, file }: Head, facts: SavepointFacts | undefined): string {
  const parts = [timeText(facts?.takenAtMs ?? file.modifiedAtMs)];
  if (snapshot !== null) {
    parts.push(sizeText(snapshot.stateBytes), countText(snapshot.announced, "operator"), countText(snapshot.files, "file"));
    if (snapshot.inlineBytes > 0) parts.push(`${sizeText(snapshot.inlineBytes)} inside the metadata`);
  }
  parts.push(`_metadata ${sizeText(file.sizeBytes)}`);
  return parts.join(" · ");
}

function notesOf(snapshot: SnapshotHead): readonly string[] {
  const notes: string[] = [];
  if (!snapshot.whole) notes.push(`The file breaks off: ${snapshot.operators.toLocaleString("en")} of ${countText(snapshot.announced, "operator")} could be read, the last one in part.`);
  if (snapshot.automatic !== null && snapshot.automatic > 0) notes.push(`${countText(snapshot.automatic, "operator")} ${snapshot.automatic === 1 ? "has an automatic id: its" : "have automatic ids: their"} state is lost when the job changes shape.`);
  if (snapshot.uidDiffers > 0) notes.push(`${countText(snapshot.uidDiffers, "operator")} ${snapshot.uidDiffers === 1 ? "has an id" : "have ids"} that the uid does not give.`);
  if (snapshot.unclaimed) notes.push("Taken while the savepoint that the job was restored from was not yet released (NO_CLAIM).");
  return notes;
}
