import type { JSX } from "preact";
import type { KeyGroupShares } from "../../core/inspector/protocol";
import { countText, sizeText } from "../../core/wording";
import type { Host } from "./inspector";
import { useAnswer } from "./useAnswer";

const mostBars = 256;

/** How keyed state lies over the key groups: even is good, one high bar is a hot key. */
export function KeyGroupBars({ host, row, reading }: { readonly host: Host; readonly row: number; readonly reading: number }): JSX.Element {
  const { value, failure, busy } = useAnswer(`${reading} ${row}`, (signal) => host.call("keyGroups", { row, bars: mostBars }, signal));
  if (failure !== undefined) return <p class="empty" role="alert">{failure}</p>;
  if (value === undefined) return <p class="empty">{busy ? "Reading key groups…" : ""}</p>;
  if (value.from === "none") return <p class="empty">This operator has no keyed state.</p>;
  const largest = Math.max(...value.bars);
  const text = summary(value);
  return (
    <div class="keyGroups">
      <p>{text}</p>
      <div class="bars" role="img" aria-label={text}>
        {value.bars.map((bytes, bar) => <span class="column" key={bar} title={`${groupsText(bar, value)}: ${sizeText(bytes)}`}><span style={{ height: `${largest > 0 ? bytes / largest * 100 : 0}%` }} /></span>)}
      </div>
      <p class="axis"><span>0</span><span>key groups</span><span>{value.maxParallelism - 1}</span></p>
      {value.problems.map((problem) => <p class="note" key={problem.offset}>{problem.text}</p>)}
    </div>
  );
}

function summary({ from, maxParallelism, skew, empty }: KeyGroupShares): string {
  const head = `${countText(maxParallelism, "key group")}; ${from === "exact" ? "the largest holds" : "the subtask with most holds"} ${skew === null ? "nothing" : `${skew.toFixed(1)}× the mean`}${empty === 0 ? "" : `, ${empty.toLocaleString("en")} hold nothing`}.`;
  return from === "exact" ? head : `${head} Database files hold all key groups of a subtask, so theirs are drawn as even.`;
}

function groupsText(bar: number, { groupsPerBar, maxParallelism }: KeyGroupShares): string {
  const first = bar * groupsPerBar;
  const last = Math.min(maxParallelism, first + groupsPerBar) - 1;
  return first === last ? `key group ${first}` : `key groups ${first} to ${last}`;
}
