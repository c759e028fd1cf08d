/** A word of a command line, as the shell sees it: without its quotes. Offsets are of the text, quotes included. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The simple commands in a piece of shell, one array of words each. Comments are left out, `\` at the end of a line continues it, and what
 * stands between `;`, `&&`, `||`, `|`, `&`, parentheses and line breaks is a command. Substitutions stay what they are. Linear, never throws.
 */
export function commandsIn(text: string): readonly (readonly Word[])[] {
  const commands: Word[][] = [];
  let words: Word[] = [];
  let word = "";
  let start = -1;
  const endWord = (at: number): void => {
    if (start !== -1) words.push({ text: word, start, end: at });
    word = "";
    start = -1;
  };
  const endCommand = (at: number): void => {
    endWord(at);
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\" && /[\r\n]/.test(text.charAt(at + 1))) {
      endWord(at);
      at += text.startsWith("\r\n", at + 1) ? 2 : 1;
    } else if (char === "\\") {
      if (start === -1) start = at;
      word += text.charAt(++at);
    } else if (char === "'" || char === "\"") {
      if (start === -1) start = at;
      const end = endOfQuote(text, at + 1, char);
      word += text.slice(at + 1, end);
      at = end;
    } else if (char === "#" && start === -1) {
      while (at + 1 < text.length && text[at + 1] !== "\n") at++;
    } else if (char === " " || char === "\t" || char === "\r") endWord(at);
    else if (char === "\n" || char === ";" || char === "|" || char === "&" || char === "(" || char === ")" || char === "`") endCommand(at);
    else {
      if (start === -1) start = at;
      word += char;
    }
  }
  endCommand(text.length);
  return commands;
}

function endOfQuote(text: string, from: number, quote: string): number {
  let at = from;
  while (at < text.length && text[at] !== quote) at += text[at] === "\\" && quote === "\"" ? 2 : 1;
  return Math.min(at, text.length);
}

/** A call of Flink's command line. */
export interface FlinkCommand {
  readonly action: Word;
  /** What follows the action. */
  readonly words: readonly Word[];
}

const actions = new Set(["run", "run-application", "stop", "cancel", "savepoint", "list", "info", "checkpoint"]);
/** Words before a command that leave it the command: of the shell, of Dockerfiles, of lists and keys in YAML. */
const prefix = /^(?:\w+=.*|-|\$|!|@|[\w.-]+:|\|-?|>-?|if|elif|then|else|do|while|until|sudo|exec|nohup|time|env|command|eval|run|cmd|entrypoint)$/i;
/** Programs that run what is among their arguments. */
const runners = new Set(["docker", "docker-compose", "podman", "nerdctl", "kubectl", "oc", "ssh", "timeout", "watch", "su", "gosu", "runuser", "sudo", "env"]);

/** The calls of `flink` in a piece of shell, proven by the program's name and one of its actions. */
export function flinkCommands(text: string): readonly FlinkCommand[] {
  if (!/\bflink\b/.test(text)) return [];
  return commandsIn(text).flatMap((words) => {
    const at = words.findIndex((word, index) => /(?:^|\/)flink$/.test(unwrapped(word.text)) && actions.has(unwrapped(words[index + 1]?.text ?? "")));
    const action = words[at + 1];
    if (at === -1 || action === undefined) return [];
    const first = words.findIndex((word) => !prefix.test(word.text));
    const runs = first === at || words.slice(0, first + 1).some(({ text: word }) => runners.has(word));
    if (!runs) return [];
    return [{ action: trimmed(action), words: words.slice(at + 2).map(trimmed) }];
  });
}

/** Without the brackets and commas of a list such as `["flink", "run"]`. */
function unwrapped(word: string): string {
  return word.replace(/^[["']+|["',\]]+$/g, "");
}

function trimmed(word: Word): Word {
  const text = unwrapped(word.text);
  return text === word.text ? word : { ...word, text };
}
