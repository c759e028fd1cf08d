import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { InspectorPageApi, InspectorPageEvents, SavepointFacts } from "../../core/inspector/inspectorPage";
import type { Head, OperatorColumn, OperatorRow } from "../../core/inspector/protocol";
import { RemoteError, type Client } from "../../core/rpc";
import { Detail } from "./detail";
import { HeadLines } from "./headLines";
import { leastWidthPx } from "./grid";
import { columnsOf, OperatorTable } from "./operatorTable";
import { keepState, restoredState, type PageState } from "./pageState";
import { ProblemList } from "./problemList";
import { Treemap } from "./treemap";

/** The other side of this page. */
export type Host = Client<InspectorPageApi, InspectorPageEvents>;

type Opened =
  | { readonly state: "reading" }
  | { readonly state: "failed"; readonly code: string; readonly sentence: string }
  | { readonly state: "read"; readonly head: Head };

/** The page: first the answer, then the picture, then the numbers, then the bytes. */
export function Inspector({ host: plain }: { readonly host: Host }): JSX.Element {
  const [opened, setOpened] = useState<Opened>({ state: "reading" });
  // A thread that ended is told of once and for the whole page, whichever question it broke off.
  const host = useMemo((): Host => ({
    ...plain,
    call: (method, params, signal) => plain.call(method, params, signal).catch((error: unknown) => {
      if (error instanceof RemoteError && error.code === "inspection-ended") setOpened({ state: "failed", code: error.code, sentence: error.message });
      throw error;
    }),
  }), [plain]);
  const [gone, setGone] = useState(false);
  const [facts, setFacts] = useState<SavepointFacts>();
  /** Counts readings of the file, so that what is shown of an earlier one is asked for again. */
  const [reading, setReading] = useState(0);
  const [page, setPage] = useState<PageState>(restoredState);
  const change = useCallback((part: Partial<PageState>) => setPage(keepState(part)), []);

  const open = useCallback(() => {
    host.call("open", {}).then((head) => {
      setOpened({ state: "read", head });
      setReading((count) => count + 1);
    }, (error: unknown) => setOpened({ state: "failed", code: error instanceof RemoteError ? error.code : "unexpected", sentence: error instanceof Error ? error.message : String(error) }));
  }, [host]);
  useEffect(() => {
    open();
    host.call("facts", {}).then(setFacts, () => undefined);
    host.on("facts", setFacts);
    host.on("changed", ({ reason }) => {
      setGone(reason === "deleted");
      if (reason === "replaced") open();
    });
  }, [host]);

  const select = useCallback((row: OperatorRow | number | null) => change({ selected: typeof row === "object" ? (row?.row ?? null) : row }), []);
  const sort = useCallback((by: OperatorColumn) => change({ sort: { by, descending: page.sort.by === by ? !page.sort.descending : by !== "name" && by !== "position" }, scrollTop: 0 }), [page.sort]);

  const tryAgain = (): void => {
    setOpened({ state: "reading" });
    open();
  };
  if (opened.state === "reading") return <p class="whole" role="status">Reading the metadata…</p>;
  if (opened.state === "failed") return <Failure sentence={opened.sentence} code={opened.code} tryAgain={tryAgain} host={host} />;
  const { head } = opened;
  return (
    <>
      <HeadLines head={head} reading={reading} facts={facts} host={host} gone={gone} change={change} />
      {head.problems.length > 0 ? <ProblemList problems={head.problems} count={head.problemCount} host={host} /> : null}
      {head.snapshot === null ? null : (
        <main class={page.selected === null ? "main" : "main withDetail"} style={{ "--table": `${leastWidthPx(columnsOf({}, head.snapshot)) + scrollBarPx}px` }}>
          <Treemap host={host} reading={reading} page={page} change={change} />
          <OperatorTable host={host} snapshot={head.snapshot} reading={reading} page={page} change={change} select={select} sort={sort} />
          {page.selected === null ? null : <Detail host={host} reading={reading} row={page.selected} page={page} change={change} />}
        </main>
      )}
    </>
  );
}

/** What a scroll bar takes at most. */
const scrollBarPx = 16;

function Failure({ sentence, code, tryAgain, host }: { readonly sentence: string; readonly code: string; tryAgain(): void; readonly host: Host }): JSX.Element {
  return (
    <div class="whole" role="alert">
      <p>{sentence}</p>
      <p class="buttons">
        {code === "metadata-elsewhere" ? null : <button type="button" class="button" onClick={tryAgain}>Try again</button>}
        <button type="button" class="button secondary" onClick={() => void host.call("run", { action: "openWith" })}>Open with…</button>
      </p>
    </div>
  );
}
