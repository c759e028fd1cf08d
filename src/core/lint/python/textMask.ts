/** Blanks comments and the inside of triple-quoted strings of Python code, so that words can be looked for in what runs. The length stays. */
export function maskPython(text: string): string {
  let out = "";
  let from = 0;
  const tokens = /#[^\n]*|("""|''')|(["'])/g;
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const start = match.index;
    let end = start + match[0].length;
    if (match[1] !== undefined) {
      const close = text.indexOf(match[1], end);
      end = close === -1 ? text.length : close + 3;
    } else if (match[2] !== undefined) {
      end = endOfString(text, end, match[2]);
      tokens.lastIndex = end;
      continue;
    }
    out += text.slice(from, start) + text.slice(start, end).replace(/[^\n]/g, " ");
    from = end;
    tokens.lastIndex = end;
  }
  return out + text.slice(from);
}

function endOfString(text: string, from: number, quote: string): number {
  let at = from;
  while (at < text.length && text[at] !== quote && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
  return Math.min(at + 1, text.length);
}
