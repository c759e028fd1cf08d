/** A uid that is written as a text of its own. Offsets are those of the text within its quotes. */
export interface LiteralUid {
  readonly uid: string;
  readonly start: number;
  readonly end: number;
}

/** `.uid("a")`, `.setUid('a')`, `withUid("a")`, and Scala's `uid "a"`. */
const call = /\b(?:uid|setUid|withUid)(?:\s*\(\s*|[ \t]+)(["'])((?:(?!\1)[^\\\n$])*)\1\s*(?=\)|$|[^\w+.%\s])/gm;
const commented = /^\s*(?:\/\/|#|\*|\/\*)/;

/** The uids of a text that a reader knows without running it: those with escapes, variables or parts are left out, and those in comments. */
export function literalUids(text: string): readonly LiteralUid[] {
  return [...text.matchAll(call)].flatMap((match) => {
    const [whole, quote = "", uid = ""] = match;
    if (uid === "" || commented.test(text.slice(text.lastIndexOf("\n", match.index) + 1, match.index))) return [];
    const start = match.index + whole.indexOf(quote) + 1;
    // Python's `f"…"` and Scala's `s"…"` are no plain texts.
    return /\w/.test(text[start - 2] ?? "") ? [] : [{ uid, start, end: start + uid.length }];
  });
}
