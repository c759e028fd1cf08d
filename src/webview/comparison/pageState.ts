import type { ComparedNames } from "../../core/comparison/comparisonPage";
import type { DifferenceQuery } from "../../core/comparison/protocol";
import { savedState, saveState } from "../inspector/vscode";

/** What a person has set on the page; kept when it is hidden, and over a reload of the window. */
export interface PageState {
  /** What the panel was opened on, so that it can be opened on it again. */
  readonly names: ComparedNames | null;
  readonly swapped: boolean;
  readonly changesOnly: boolean;
  readonly sort: DifferenceQuery["sort"];
  readonly filter: string;
  /** Selected operator, by its place in the comparison. */
  readonly selected: number | null;
  readonly scrollTop: number;
}

const firstState: PageState = { names: null, swapped: false, changesOnly: true, sort: { by: "change", descending: true }, filter: "", selected: null, scrollTop: 0 };
const stateVersion = 1;

/** The kept state, as far as it fits. */
export function restoredState(): PageState {
  const saved = savedState();
  return typeof saved === "object" && saved !== null && "version" in saved && saved.version === stateVersion ? { ...firstState, ...(saved as Partial<PageState>) } : firstState;
}

/** Keeps a state. */
export function keepState(state: PageState): void {
  saveState({ ...state, version: stateVersion });
}
