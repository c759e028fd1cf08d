import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { hitText, rulesText, spareText } from "../../core/cleanup/cleanupText";
import { freedBytes, isVictim, type CleanupRow } from "../../core/cleanup/plan";
import type { SavepointRecord } from "../../core/ledger/record";
import type { Overview } from "../../core/overview/overview";
import type { CleanupView, OverviewAction } from "../../core/overview/overviewPage";
import { ageText, countText, savepointName, sizeText, spanText, timeText } from "../../core/wording";
import type { Host } from "./overviewPage";

/** What the rules would do, before they do it; and what they did, what failed, and what can be put back. */
export function CleanupTab({ host, overview, run }: { readonly host: Host; readonly overview: Overview; run(action: OverviewAction, key?: string | null): void }): JSX.Element {
  const [view, setView] = useState<CleanupView>();
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState<string | null>("Asking every cluster who needs what…");
  const [told, setTold] = useState<string>();
  const work = useCallback((what: string, call: () => Promise<CleanupView | string>) => {
    setBusy(what);
    setFailure(undefined);
    call().then((answer) => {
      if (typeof answer !== "string") {
        setView(answer);
        return undefined;
      }
      setTold(answer);
      return host.call("cleanup", {}).then(setView);
    }).catch((error: unknown) => setFailure(error instanceof Error ? error.message : String(error))).finally(() => setBusy(null));
  }, [host]);
  const look = useCallback(() => work("Asking every cluster who needs what…", () => host.call("cleanup", {})), [work, host]);
  // What the file says now, or what was switched here or elsewhere, makes another preview.
  const standing = overview.cleanup?.key;
  useEffect(look, [look, standing]);

  if (view === undefined) return failure === undefined ? <p class="whole" role="status">{busy}</p> : <p class="whole" role="alert">{failure} <button type="button" class="button secondary" onClick={look}>Try Again</button></p>;
  const victims = view.rows.filter(isVictim);
  const { mark } = view;
  return (
    <div class="cleanup" aria-busy={busy !== null}>
      <section>
        <p class="answer">{answerOf(view, victims.length)}</p>
        <p class="quiet">{view.source === null ? "No rule is written for this job." : `Rules: ${view.rules === null ? "none for this job" : rulesText(view.rules)}, written in ${view.source}.`} Only what schedules took is ever touched. Asked {ageText(view.atMs, overview.atMs)}.{view.lastRun === null ? "" : ` ${view.lastRun}`}</p>
        {view.pauseMs === null ? null : <p class="note">Nothing was taken for {spanText(view.pauseMs)}, longer than the age rule allows, so rules wait for you: whoever restarted the job may want one of these.</p>}
        <p class="buttons">
          <button type="button" class="button" disabled={busy !== null || victims.length === 0} onClick={() => work("Removing…", () => host.call("runCleanup", { mark }))}>{victims.length === 0 ? "Nothing to Remove" : `Remove ${countText(victims.length, "savepoint")}…`}</button>
          {view.rules === null ? null : <button type="button" class="button secondary" disabled={busy !== null || (!view.isEnabled && !view.isAgreed)} onClick={() => work("Writing it down…", () => host.call("switchCleanup", { mark, on: !view.isAgreed }))}>{view.isAgreed ? "Switch Off Here" : "Switch On Here"}</button>}
          <button type="button" class="button secondary" disabled={busy !== null} onClick={look}>Look Again</button>
          <button type="button" class="button secondary" onClick={() => run("openSchedules")}>Open Rules</button>
        </p>
        <p role="status" class="quiet">{busy ?? told ?? ""}</p>
        {failure === undefined ? null : <p role="alert" class="bad">{failure}</p>}
      </section>
      <Table title="Goes" rows={victims} nowMs={overview.atMs} empty="Nothing goes." column="Rule" cell={(row) => `${row.hits.map(hitText).join(", ")}${row.removal === "aside" ? ` · can be put back for ${spanText(view.rules?.undoMs ?? 0)}` : row.removal === "at-once" ? " · for good" : ""}`} total={sizeText(freedBytes(view.rows))} />
      <Table title="Stays" rows={view.rows.filter((row) => !isVictim(row))} nowMs={overview.atMs} empty="Nothing is there." column="Why" cell={(row) => row.spares.map(spareText).join(" ")} total={null} />
      <Records title="Could not be removed" column="Reason" records={view.failed} nowMs={overview.atMs} text={({ cleanup, disposal }) => cleanup?.failure ?? disposal?.message ?? "Its process ended in the middle."} button="Try Again" press={(recordId) => work("Removing…", () => host.call("retry", { recordId }))} />
      <Records title="Moved aside" column="Until" records={view.aside} nowMs={overview.atMs} text={({ cleanup }) => (cleanup?.aside ? `gone for good ${cleanup.aside.untilMs > overview.atMs ? `in ${spanText(cleanup.aside.untilMs - overview.atMs)}` : "at the next look"} · ${cleanup.hits.map(hitText).join(", ")}` : "")} button="Put Back and Pin" press={(recordId) => work("Putting it back…", () => host.call("undo", { recordId }))} />
      <Records title="Removed by rules" column="Rule" records={view.removed} nowMs={overview.atMs} text={({ cleanup, disposal }) => `${cleanup?.hits.map(hitText).join(", ") ?? ""}${disposal?.endedAtMs ? ` · ${ageText(disposal.endedAtMs, overview.atMs)}` : ""}`} />
    </div>
  );
}

function answerOf(view: CleanupView, going: number): string {
  const what = going === 0 ? "Nothing goes now." : `${countText(going, "savepoint")} ${going === 1 ? "goes" : "go"} when you say so, ${sizeText(freedBytes(view.rows))}.`;
  const by = view.rules === null ? "" : view.isEnabled && view.isAgreed ? " Rules also act by themselves after each scheduled savepoint." : view.isEnabled ? " Rules do nothing by themselves here until you switch them on." : " Rules are off in the file.";
  return what + by;
}

function Table({ title, rows, nowMs, empty, column, cell, total }: { readonly title: string; readonly rows: readonly CleanupRow[]; readonly nowMs: number; readonly empty: string; readonly column: string; cell(row: CleanupRow): string; readonly total: string | null }): JSX.Element {
  return (
    <section aria-label={title}>
      <h2>{title}{rows.length === 0 ? "" : ` · ${rows.length}`}{total === null || rows.length === 0 ? "" : ` · ${total}`}</h2>
      {rows.length === 0 ? <p class="quiet">{empty}</p> : (
        <table class="wide">
          <thead><tr><th scope="col" class="name">Savepoint</th><th scope="col" class="age">Age</th><th scope="col" class="number size">Size</th><th scope="col" class="origin">Origin</th><th scope="col">{column}</th></tr></thead>
          <tbody>{rows.map((row) => <tr key={row.record.id}><th scope="row" title={row.record.path ?? undefined}>{savepointName(row.record)} <span class="second">{row.record.description}</span></th><td title={timeText(row.record.requestedAtMs)}>{ageText(row.record.requestedAtMs, nowMs)}</td><td class="number">{row.record.sizeBytes === null ? "–" : sizeText(row.record.sizeBytes)}</td><td class="origin">{row.record.origin}</td><td>{cell(row)}</td></tr>)}</tbody>
        </table>
      )}
    </section>
  );
}

function Records({ title, column, records, nowMs, text, button, press }: { readonly title: string; readonly column: string; readonly records: readonly SavepointRecord[]; readonly nowMs: number; text(record: SavepointRecord): string; readonly button?: string; press?(recordId: string): void }): JSX.Element | null {
  if (records.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2>{title} · {records.length}</h2>
      <table class="wide">
        <thead><tr><th scope="col" class="name">Savepoint</th><th scope="col" class="age">Age</th><th scope="col" class="number size">Size</th><th scope="col">{column}</th>{press === undefined ? null : <th class="act" />}</tr></thead>
        <tbody>{records.slice(0, 200).map((record) => <tr key={record.id}><th scope="row" title={record.path ?? undefined}>{savepointName(record)} <span class="second">{record.description}</span></th><td title={timeText(record.requestedAtMs)}>{ageText(record.requestedAtMs, nowMs)}</td><td class="number">{record.sizeBytes === null ? "–" : sizeText(record.sizeBytes)}</td><td>{text(record)}</td>{press === undefined ? null : <td class="act"><button type="button" class="link" onClick={() => press(record.id)}>{button}</button></td>}</tr>)}</tbody>
      </table>
    </section>
  );
}
