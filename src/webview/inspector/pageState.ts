import type { OperatorQuery } from "../../core/inspector/protocol";
import { savedState, saveState } from "./vscode";

/** What a person has set on the page; kept when it is hidden. */
export interface PageState {
  readonly sort: OperatorQuery["sort"];
  readonly filter: string;
  /** Selected operator, by its position in the file. */
  readonly selected: number | null;
  readonly scrollTop: number;
  readonly tab: DetailTab;
  /** How far the treemap is opened. */
  readonly inside: { readonly row: number; readonly kind: string | null } | null;
  /** Uids that were typed and fit, by operator id. */
  readonly uids: Readonly<Record<string, string>>;
}

/** Parts of the panel below. */
export type DetailTab = "states" | "subtasks" | "keyGroups" | "facts";

const firstState: PageState = { sort: { by: "size", descending: true }, filter: "", selected: null, scrollTop: 0, tab: "states", inside: null, uids: {} };

/** The kept state, as far as it fits. */
export function restoredState(): PageState {
  const saved = savedState();
  return (kept = typeof saved === "object" && saved !== null && "version" in saved && saved.version === stateVersion ? { ...firstState, ...(saved as Partial<PageState>) } : firstState);
}

/** Keeps what has changed; parts that nothing is drawn from, such as the scroll position, are kept here alone. */
export function keepState(part: Partial<PageState>): PageState {
  kept = { ...kept, ...part };
  saveState({ ...kept, version: stateVersion });
  return kept;
}

const stateVersion = 1;
let kept = firstState;
