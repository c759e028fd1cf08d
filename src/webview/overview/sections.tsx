import type { JSX } from "preact";
import { oldManualDays, type Overview } from "../../core/overview/overview";
import type { OverviewAction } from "../../core/overview/overviewPage";
import { ageText, countText, sizeText, spanText, timeText } from "../../core/wording";
import type { Host } from "./overviewPage";
import { numberOf, originTitles } from "./words";

/** What is set and what it takes: schedules, rules, storage, old savepoints by hand, parameters. */
export function Sections({ overview, host, run, select }: { readonly overview: Overview; readonly host: Host; run(action: OverviewAction, key?: string | null): void; select(key: string): void }): JSX.Element {
  const { schedules, storage, oldManual, parameters, atMs, cleanup } = overview;
  const total = storage.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return (
    <div class="sections">
      <section aria-labelledby="schedules">
        <h2 id="schedules">Schedules and rules</h2>
        {schedules === null ? <p class="quiet">Schedules are being read.</p> : schedules.length === 0 ? <p class="quiet">No schedule takes savepoints of this job.</p> : (
          <ul>{schedules.map((each) => (
            <li key={each.name}><strong>{each.name}</strong> · {each.meaning} ({each.timeZone})<br />
              <span class="quiet">{each.waits ? "waits for your agreement" : !each.enabled ? "paused" : each.nextMs === null ? "no next run" : <>next in <span title={timeText(each.nextMs)}>{spanText(each.nextMs - atMs)}</span></>}{each.runsHere || each.waits ? "" : " · fired by another window, or by none"}{each.last === null ? "" : ` · ${each.last}`}</span></li>
          ))}</ul>
        )}
        {cleanup === null ? null : <p>Cleanup: {cleanup.text}</p>}
        <p class="buttons"><button type="button" class="link" onClick={() => run("newSchedule")}>New Schedule…</button><button type="button" class="link" onClick={() => run("openSchedules")}>Open Schedules and Rules</button></p>
      </section>
      <section aria-labelledby="storage">
        <h2 id="storage">Storage of savepoints</h2>
        {storage.length === 0 ? <p class="quiet">None is there.</p> : (
          <table>
            <thead><tr><th scope="col">Origin</th><th scope="col" class="number">Savepoints</th><th scope="col" class="number">Size</th></tr></thead>
            <tbody>{storage.map((share) => <tr key={share.origin}><th scope="row">{originTitles[share.origin]}</th><td class="number">{share.count}</td><td class="number">{sizeText(share.sizeBytes)}{share.unsized > 0 ? ` and ${share.unsized} of unknown size` : ""}</td></tr>)}</tbody>
            <tfoot><tr><th scope="row">Together</th><td class="number">{storage.reduce((sum, { count }) => sum + count, 0)}</td><td class="number">{sizeText(total)}</td></tr></tfoot>
          </table>
        )}
        {oldManual.length === 0 ? null : (
          <>
            <p class="oldManual">{countText(oldManual.length, "savepoint")} taken by hand {oldManual.length === 1 ? "is" : "are"} older than {oldManualDays} days, {sizeText(oldManual.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0))}. No rule touches {oldManual.length === 1 ? "it" : "them"}: pin what is kept on purpose, dispose of the rest.</p>
            <ul>{oldManual.slice(0, 5).map((row) => <li key={row.key}><button type="button" class="link" onClick={() => select(row.key)}>{numberOf(row)}</button> {row.description === "" ? "" : `“${row.description}” `}<span class="quiet">{ageText(row.atMs, atMs)}{row.sizeBytes === null ? "" : ` · ${sizeText(row.sizeBytes)}`}</span> <button type="button" class="link act" onClick={() => run("pin", row.key)}>Pin</button> <button type="button" class="link act" onClick={() => run("dispose", row.key)}>Dispose…</button></li>)}</ul>
          </>
        )}
      </section>
      <section aria-labelledby="parameters" class="broad">
        <h2 id="parameters">Parameters in force</h2>
        {parameters.length === 0 ? <p class="quiet">Flink was not asked, or tells none.</p> : (
          <table class="parameters">
            <tbody>{parameters.map(({ key, value, setBy, link }) => <tr key={key}><th scope="row"><a href={link}>{key}</a></th><td><code>{value}</code>{inWords(value)}</td><td class="quiet">{setBy === "cluster" ? "cluster, a job may override it" : "job"}</td></tr>)}</tbody>
          </table>
        )}
        {parameters.length === 0 ? null : <p><button type="button" class="link" onClick={() => void host.call("copy", { what: "parameters", text: parameters.map(({ key, value }) => `${key}: ${value}`).join("\n") }).catch(() => undefined)}>Copy all</button></p>}
      </section>
    </div>
  );
}

/** A time that Flink tells in milliseconds, as one reads it. */
function inWords(value: string): string {
  const ms = /^(\d+) ms$/.exec(value)?.[1];
  return ms === undefined || Number(ms) < 1_000 ? "" : ` ${spanText(Number(ms))}`;
}
