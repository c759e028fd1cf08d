/** A statement of SQL; comments are blanks in `text`, so offsets into it are offsets from `start`. */
export interface SqlStatement {
  readonly text: string;
  readonly start: number;
}

/** The statements of a text, split at `;` outside of quotes and comments. Hints (optimizer hints) stay. Linear. */
export function statementsIn(text: string): readonly SqlStatement[] {
  const statements: SqlStatement[] = [];
  let clean = "";
  let start = 0;
  const end = (): void => {
    if (clean.trim() !== "") statements.push({ text: clean, start });
    clean = "";
  };
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "'" || char === "`" || char === "\"") {
      let close = at + 1;
      while (close < text.length && text[close] !== char) close++;
      clean += text.slice(at, close + 1);
      at = close;
    } else if (text.startsWith("--", at)) {
      const from = at;
      while (at + 1 < text.length && text[at + 1] !== "\n") at++;
      clean += " ".repeat(at - from + 1);
    } else if (text.startsWith("/*", at) && text[at + 2] !== "+") {
      const close = text.indexOf("*/", at + 2);
      const to = close === -1 ? text.length : close + 2;
      clean += text.slice(at, to).replace(/[^\n]/g, " ");
      at = to - 1;
    } else if (char === ";") {
      end();
      start = at + 1;
    } else clean += char;
  }
  end();
  return statements;
}

/** The options of a `WITH (…)` clause or of a hint, by key in lower case; the last one of a key counts. */
export function optionsIn(text: string): ReadonlyMap<string, string> {
  return new Map(Array.from(text.matchAll(/'([^']+)'\s*=\s*'([^']*)'/g), (match) => [(match[1] ?? "").toLowerCase(), match[2] ?? ""]));
}

/**
 * The SQL in the string literals of a program, at its own offsets: everything else is blank, and each string that begins like a statement
 * ends with one. Strings that are no SQL are blank too.
 */
export function sqlInStrings(text: string): string {
  let out = "";
  let from = 0;
  for (const match of text.matchAll(/"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g)) {
    const quote = match[0].startsWith("\"\"\"") || match[0].startsWith("'''") ? 3 : 1;
    const body = match[0].slice(quote, -quote);
    if (!/^[\s\\n]*(?:CREATE|INSERT|SET|USE|EXECUTE|BEGIN)\b/i.test(body) || body.includes("\\\"")) continue;
    out += blank(text.slice(from, match.index + quote)) + body + ";" + " ".repeat(quote - 1);
    from = match.index + match[0].length;
  }
  return out + blank(text.slice(from));
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}
