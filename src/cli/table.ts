/** A column of a table; numbers stand on the right. */
export interface ColumnHead {
  readonly title: string;
  readonly align: "left" | "right";
}

/** Lines of a table whose columns are aligned, the titles first. Columns without a single text are left out. */
export function tableLines(heads: readonly ColumnHead[], rows: readonly (readonly string[])[], indent = ""): string[] {
  const shown = heads.map((head, column) => ({ head, column })).filter(({ column }) => rows.some((row) => (row[column] ?? "") !== ""));
  const widths = shown.map(({ head, column }) => rows.reduce((width, row) => Math.max(width, lengthOf(row[column] ?? "")), head.title.length));
  const line = (texts: readonly string[]): string => (indent + texts.map((text, i) => {
    const space = " ".repeat(Math.max(0, (widths[i] ?? 0) - lengthOf(text)));
    return shown[i]?.head.align === "right" ? space + text : text + space;
  }).join("  ")).trimEnd();
  return [line(shown.map(({ head }) => head.title)), ...rows.map((row) => line(shown.map(({ column }) => row[column] ?? "")))];
}

/** Characters, as far as that is what a terminal counts. */
function lengthOf(text: string): number {
  return text.length - (text.match(/[\u{10000}-\u{10ffff}]/gu)?.length ?? 0);
}
