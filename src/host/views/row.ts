import type { CommandArgs, CommandId } from "../../core/contributions";

/** What a click on a row runs. */
export type RowCommand = { [C in CommandId]: { readonly command: C; readonly title: string; readonly args: CommandArgs[C] } }[CommandId];

/** A tree row as plain data; two rows that print alike look alike. */
export interface Row {
  readonly label: string;
  readonly description: string;
  /** A codicon and the theme colour it is drawn in; the shape alone tells the state too. */
  readonly icon: { readonly id: string; readonly color?: string } | null;
  /** Words that menus test, separated by spaces. */
  readonly contextValue: string;
  /** What a screen reader says instead of label and description. */
  readonly spoken: string;
  /** `open`: has children and shows them at first. */
  readonly children: "none" | "closed" | "open";
  /** The target that menu commands get. */
  readonly ref: object | null;
  readonly click: RowCommand | null;
}
