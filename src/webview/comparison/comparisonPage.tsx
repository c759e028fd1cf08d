import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import type { ComparisonHead, StatesSeen } from "../../core/comparison/protocol";
import { countText } from "../../core/wording";
import { ProblemList } from "./problemList";
import { DifferencePanel } from "./differenceDetail";
import { DifferenceTable, type Host } from "./differenceTable";
import { keepState, restoredState, type PageState } from "./pageState";
import { Sides } from "./sides";

type Opened = { readonly state: "reading" } | { readonly state: "failed"; readonly sentence: string } | { readonly state: "read"; readonly head: ComparisonHead };

/** The page: first what differs in all, then operator by operator, then one of them in full. */
export function ComparisonPage({ host }: { readonly host: Host }): JSX.Element {
  const [opened, setOpened] = useState<Opened>({ state: "reading" });
  const [states, setStates] = useState<StatesSeen>();
  const [page, setPage] = useState<PageState>(restoredState);
  const change = useCallback((part: Partial<PageState>) => setPage((before) => {
    const after = { ...before, ...part };
    keepState(after);
    return after;
  }), []);
  const { swapped, names, selected } = page;

  const open = useCallback(() => {
    host.call("open", { swapped }).then((head) => setOpened({ state: "read", head }), (error: unknown) => setOpened({ state: "failed", sentence: error instanceof Error ? error.message : String(error) }));
  }, [host, swapped]);
  useEffect(open, [swapped]);
  useEffect(() => {
    host.call("names", {}).then((found) => change({ names: found }), () => undefined);
    // Only headers are read, yet of many files: the table is there before.
    host.call("states", {}).then((seen) => {
      setStates(seen);
      open();
    }, (error: unknown) => setStates({ unread: 0, notes: [error instanceof Error ? error.message : String(error)] }));
  }, [host]);

  if (opened.state === "reading") return <p class="whole" role="status">Reading both savepoints…</p>;
  if (opened.state === "failed") {
    return <div class="whole" role="alert"><p>{opened.sentence}</p><p class="buttons"><button type="button" class="button" onClick={open}>Try again</button></p></div>;
  }
  const { head } = opened;
  const { counts } = head;
  const [left, right] = swapped ? [names?.right, names?.left] : [names?.left, names?.right];
  const all = counts === null ? 0 : counts.added + counts.removed + counts.changed + counts.same;
  const reading = states === undefined ? 0 : 1;
  return (
    <>
      <header class="head">
        <div class="title">
          <h1>{[left?.name ?? "Before", right?.name ?? "After"].join(" → ")}{left?.jobName !== undefined && left.jobName !== null && left.jobName === right?.jobName ? ` · ${left.jobName}` : ""}</h1>
          <span class="buttons">
            <button type="button" class="button secondary" onClick={() => change({ swapped: !swapped })}>Swap sides</button>
            <button type="button" class="button secondary" onClick={() => void host.call("run", { action: "asText", swapped })}>Compare as text</button>
            <button type="button" class="button secondary" disabled={counts === null} onClick={() => void host.call("copyJson", { swapped })}>Copy as JSON</button>
          </span>
        </div>
        {counts === null ? null : <p class="line" role="status">{countsText(counts)}</p>}
        <Sides head={head} left={left} right={right} swapped={swapped} host={host} />
        {head.incomplete && counts !== null ? <p class="note">One of the two could not be read to its end: operators may seem added or removed that are not.</p> : null}
        {states !== undefined && states.unread > 0 ? <p class="note">{`States of ${countText(states.unread, "operator")} are not compared. ${states.notes.join(" ")}`}</p> : null}
      </header>
      <ProblemList head={head} />
      {counts === null ? null : (
        <main class="main">
          <DifferenceTable host={host} page={page} reading={reading} all={all} mostBytes={head.mostBytes} statesRead={states !== undefined} change={change} />
          {selected === null ? null : <DifferencePanel host={host} at={selected} swapped={swapped} reading={reading} close={() => change({ selected: null })} />}
        </main>
      )}
    </>
  );
}

function countsText({ added, removed, changed, same }: NonNullable<ComparisonHead["counts"]>): string {
  const parts = [added > 0 ? `${added.toLocaleString("en")} added` : null, removed > 0 ? `${removed.toLocaleString("en")} removed` : null, changed > 0 ? `${changed.toLocaleString("en")} changed` : null, same > 0 ? `${same.toLocaleString("en")} unchanged` : null];
  return `Operators: ${parts.filter((part) => part !== null).join(" · ") || "none"}`;
}
