import type { CommandArgs, CommandId, ContextWord } from "../../core/contributions";

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

/** What a row may have besides its label and description. */
export interface RowParts {
  readonly icon: Row["icon"];
  readonly words?: readonly ContextWord[];
  readonly ref?: object | null;
  readonly children?: Row["children"];
  readonly click?: RowCommand | null;
  /** Said after the label, since a screen reader does not see the icon. */
  readonly noun?: string;
}

/** A row: closed to children, clicks and menus where nothing is said; a screen reader hears label, noun and description. */
export function row(label: string, description: string, parts: RowParts): Row {
  return {
    label, description, icon: parts.icon, contextValue: (parts.words ?? []).join(" "), children: parts.children ?? "none", ref: parts.ref ?? null, click: parts.click ?? null,
    spoken: [label, parts.noun, description.replaceAll(" · ", ", ")].filter((part) => part !== undefined && part !== "").join(", "),
  };
}
