import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { OperatorDetail } from "../../core/inspector/protocol";
import { operatorIdOf } from "../../core/metadata/operatorId";
import { countText, sizeText } from "../../core/wording";
import type { Host } from "./inspector";
import { KeyGroupBars } from "./keyGroupBars";
import type { DetailTab, PageState } from "./pageState";
import { StateTable } from "./stateTable";
import { SubtaskTables } from "./subtaskTables";
import { useAnswer } from "./useAnswer";

interface DetailProps {
  readonly host: Host;
  readonly reading: number;
  readonly row: number;
  readonly page: PageState;
  change(part: Partial<PageState>): void;
}

const tabs: readonly { readonly id: DetailTab; readonly title: string }[] = [
  { id: "states", title: "States" }, { id: "subtasks", title: "Subtasks and files" }, { id: "keyGroups", title: "Key groups" }, { id: "facts", title: "Facts" },
];

/** One operator: its states, its subtasks with their handles, its key groups. */
export function Detail({ host, reading, row, page, change }: DetailProps): JSX.Element {
  const { value, failure } = useAnswer(`${reading} ${row}`, (signal) => host.call("operator", { row }, signal));
  if (failure !== undefined) return <section class="detail" aria-label="Operator"><p class="empty" role="alert">{failure}</p></section>;
  if (value === undefined || value === null) return <section class="detail" aria-label="Operator"><p class="empty">{value === null ? "There is no such operator any more." : ""}</p></section>;
  const { operator } = value;
  const uid = operator.uid ?? page.uids[operator.id] ?? null;
  const at = tabs.findIndex(({ id }) => id === page.tab);
  const onKeyDown = (event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = tabs[at + step];
    if (step === 0 || next === undefined) return;
    change({ tab: next.id });
    event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]")[at + step]?.focus();
    event.preventDefault();
  };
  const key = `${reading} ${operator.row}`;
  return (
    <section class="detail" aria-label={`Operator ${operator.name ?? uid ?? operator.id}`}>
      <div class="detailHead">
        <h2>{operator.name ?? uid ?? "Operator"}</h2>
        <span class="ids">{uid === null ? null : <>uid “{uid}” · </>}id <span class="id">{operator.id}</span></span>
        <span class="buttons">
          {uid === null ? null : <button type="button" class="link" onClick={() => void host.call("copy", { what: "uid", text: uid })}>Copy uid</button>}
          <button type="button" class="link" onClick={() => void host.call("copy", { what: "id", text: operator.id })}>Copy id</button>
          <button type="button" class="link" onClick={() => void host.call("copyJson", { row: operator.row })}>Copy as JSON</button>
          <button type="button" class="link" aria-label="Close" title="Close" onClick={() => change({ selected: null })}>✕</button>
        </span>
      </div>
      {operator.uid === null ? <UidCheck key={operator.id} host={host} change={change} id={operator.id} known={page.uids[operator.id]} found={(typed) => change({ uids: { ...page.uids, [operator.id]: typed } })} /> : null}
      {operator.uidMatches === false ? <p class="note inDetail">The uid gives another id, {operatorIdOf(operator.uid ?? "")}: the id was set by hand (setUidHash), or the file was made by a tool.</p> : null}
      <div class="tabs" role="tablist" aria-label="Of this operator" onKeyDown={onKeyDown}>
        {tabs.map(({ id, title }) => <button type="button" role="tab" id={`tab-${id}`} key={id} aria-selected={id === page.tab} aria-controls="tabpanel" tabIndex={id === page.tab ? 0 : -1} class="tab" onClick={() => change({ tab: id })}>{title}</button>)}
      </div>
      <div class="tabpanel" role="tabpanel" id="tabpanel" aria-labelledby={`tab-${page.tab}`}>
        {page.tab === "states" ? <StateTable key={key} host={host} row={operator.row} reading={reading} hasState={operator.sizeBytes > operator.sizes.coordinator} />
          : page.tab === "subtasks" ? <SubtaskTables key={key} host={host} operator={operator} reading={reading} />
            : page.tab === "keyGroups" ? <KeyGroupBars key={key} host={host} row={operator.row} reading={reading} /> : <Facts detail={value} />}
      </div>
    </section>
  );
}

/** Formats before Flink 2.0 keep only the hash of a uid; a uid that one remembers can be tried. */
function UidCheck({ host, change, id, known, found }: { readonly host: Host; change(part: Partial<PageState>): void; readonly id: string; readonly known: string | undefined; found(uid: string): void }): JSX.Element {
  const [typed, setTyped] = useState(known ?? "");
  const hash = typed === "" ? null : operatorIdOf(typed);
  const trimmed = typed.trim();
  // It may be the uid of another operator of this savepoint.
  const other = useAnswer(hash === null || hash === id ? null : hash, (signal) => host.call("operators", { sort: { by: "position", descending: false }, filter: hash ?? "", from: 0, limit: 1, selected: null }, signal), 120);
  const otherRow = other.busy ? undefined : other.value?.rows.find((row) => row.id === hash);
  const result = hash === null ? "" : hash === id ? "✔ It is this operator's uid." : operatorIdOf(trimmed) === id ? "✔ It is, without the blanks around it." : `✖ It gives ${hash}.`;
  return (
    <p class="uidCheck">
      <label>Type a uid to see whether it is this one’s: <input class="filter" type="text" spellcheck={false} value={typed} onInput={(event) => {
        const text = event.currentTarget.value;
        setTyped(text);
        if (operatorIdOf(text) === id) found(text);
      }} /></label> <span role="status">{result}{hash === null || hash === id || otherRow === undefined ? null : <> That is another operator here. <button type="button" class="link" onClick={() => change({ selected: otherRow.row })}>Select it</button></>}</span>
    </p>
  );
}

const kinds = [
  ["managedKeyed", "Keyed state"], ["managedOperator", "Operator state"], ["rawKeyed", "Raw keyed state"], ["rawOperator", "Raw operator state"], ["inputChannel", "Input channels"], ["outputChannel", "Output channels"],
  ["coordinator", "Coordinator"], ["legacy", "State of the Checkpointed interface"],
] as const;

function Facts({ detail }: { readonly detail: OperatorDetail }): JSX.Element {
  const { operator, offset, lengthBytes, chainLength } = detail;
  const bytes = (size: number): string => (size < 1024 ? sizeText(size) : `${sizeText(size)} (${size.toLocaleString("en")} bytes)`);
  const facts: (readonly [string, string])[] = [
    ["Name", operator.name ?? "none in the file"], ["Uid", operator.uid ?? "none in the file"], ["Id", operator.id],
    ["Parallelism", `${operator.parallelism} of at most ${operator.maxParallelism}`], ["Subtasks in the file", operator.finished ? "none, all are finished" : operator.subtasks.toLocaleString("en")],
    ["State", bytes(operator.sizeBytes)], ...kinds.filter(([kind]) => operator.sizes[kind] !== 0).map(([kind, title]) => [`  ${title}`, bytes(operator.sizes[kind])] as const),
    ["Place in the metadata", `byte ${offset.toLocaleString("en")}, ${countText(lengthBytes, "byte")}${operator.whole ? "" : ", where the file breaks off"}`],
    ...(chainLength > 1 ? [["Operators in its chain", String(chainLength)] as const] : []),
  ];
  return <dl class="facts">{facts.map(([term, text]) => <div key={term}><dt>{term}</dt><dd>{text}</dd></div>)}</dl>;
}
