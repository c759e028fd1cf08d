import type { JSX } from "preact";
import { ageText, timeText } from "../../core/wording";

/** How long ago something was. The exact time is made when the pointer asks for it: the first use of a locale takes longer than drawing the page. */
export function Ago({ atMs, nowMs }: { readonly atMs: number; readonly nowMs: number }): JSX.Element {
  return <span onMouseEnter={(event) => (event.currentTarget.title = timeText(atMs))}>{ageText(atMs, nowMs)}</span>;
}
