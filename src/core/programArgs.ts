/**
 * Splits one line into program arguments the way a POSIX shell splits words: at blanks, with '…' taken literally, "…" with \" and \\ in it,
 * and \ before any other character. Nothing is expanded: `$HOME` and `*` stay as they are. Returns undefined while a quote is open.
 */
export function splitProgramArgs(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: "'" | "\"" | undefined;
  for (let at = 0; at < line.length; at++) {
    const char = line[at] as string;
    if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === undefined && (char === "'" || char === "\"")) {
      quote = char;
      word ??= "";
    } else if (char === quote) {
      quote = undefined;
    } else if (char === "\\" && quote !== "'") {
      const next = line[at + 1];
      if (next === undefined) return undefined;
      const escapes = quote === undefined || next === "\"" || next === "\\";
      word = (word ?? "") + (escapes ? next : char + next);
      at++;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== undefined) return undefined;
  return word === undefined ? words : [...words, word];
}
