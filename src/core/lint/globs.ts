/**
 * A pattern as in VS Code's settings, as a regular expression of a path that is separated by `/`: `*` and `?` within a name, `**` over
 * folders, `{a,b}`, `[a-z]`. A pattern that ends in a folder takes everything in it; one without `/` is a name anywhere.
 */
export function globExpression(glob: string): RegExp {
  const trimmed = glob.replace(/^\.?\//, "").replace(/\/$/, "");
  const anywhere = trimmed.includes("/") ? trimmed : `**/${trimmed}`;
  let source = "";
  let depth = 0;
  for (let at = 0; at < anywhere.length; at++) {
    const char = anywhere[at] ?? "";
    const classEnd = char === "[" ? anywhere.indexOf("]", at + 2) : -1;
    if (anywhere.startsWith("**/", at)) {
      source += "(?:[^/]+/)*";
      at += 2;
    } else if (anywhere.startsWith("**", at)) {
      source += ".*";
      at++;
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "{" && anywhere.includes("}", at)) {
      source += "(?:";
      depth++;
    } else if (char === "}" && depth > 0) {
      source += ")";
      depth--;
    } else if (char === "," && depth > 0) source += "|";
    else if (classEnd > at) {
      source += `[${anywhere.slice(at + 1, classEnd).replace(/^!/, "^").replaceAll("\\", "\\\\")}]`;
      at = classEnd;
    } else source += char.replace(/[\\^$.|+()[\]{}]/, "\\$&");
  }
  return new RegExp(`^${source}${")".repeat(depth)}(?:/.*)?$`);
}

/** Whether one of the patterns takes the path; one that is no pattern takes nothing. */
export function matcherOf(globs: readonly string[]): (path: string) => boolean {
  const expressions = globs.filter((glob) => glob.trim() !== "").flatMap((glob) => {
    try {
      return [globExpression(glob.trim())];
    } catch {
      return [];
    }
  });
  return (path) => expressions.some((expression) => expression.test(path));
}
