import { isLocal, legacyClaimMode, localDirectory, settingReports, type Setting } from "./keys";
import type { TextReport } from "./report";
import { flinkCommands, type FlinkCommand, type Word } from "./shellWords";

/** What is deprecated or dangerous in the calls of `flink` in a script (C-14, P-7). */
export function shellReports(text: string): readonly TextReport[] {
  const commands = flinkCommands(text);
  return commands.flatMap((command, index) => [
    ...cancels(command),
    ...claims(command),
    ...directories(command),
    ...drains(command, commands.slice(index + 1)),
    ...settingReports(dynamicSettings(command.words)),
    ...paimonActions(command),
  ]);
}

function cancels({ action, words }: FlinkCommand): TextReport[] {
  const option = action.text === "cancel" ? words.find(({ text }) => /^(?:-s|--withSavepoint)(?:=|$)/.test(text)) : undefined;
  if (option === undefined) return [];
  return [{
    rule: "cancel-with-savepoint", start: option.start, end: option.end, message: "`cancel` with a savepoint is deprecated: it can write records twice that came after the savepoint. Use `stop --savepointPath`.",
    fix: {
      kind: "edits", title: "Stop with savepoint instead",
      edits: [{ start: action.start, end: action.end, text: "stop" }, { start: option.start, end: option.start + (option.text.split("=")[0]?.length ?? 0), text: "--savepointPath" }],
    },
  }];
}

function claims({ action, words }: FlinkCommand): TextReport[] {
  if (!action.text.startsWith("run")) return [];
  return words.flatMap((word, at): TextReport[] => {
    const [name = "", given] = word.text.split("=");
    if (!/^--?(?:claimMode|restoreMode|rm)$/.test(name)) return [];
    const value = given ?? words[at + 1]?.text ?? "";
    return value.toUpperCase() === "LEGACY" ? [legacyClaimMode(word.start, word.end)] : [];
  });
}

function directories({ action, words }: FlinkCommand): TextReport[] {
  if (action.text === "savepoint") {
    if (words.some(({ text }) => /^(?:-d|--dispose)$/.test(text))) return [];
    return words.filter(({ text }) => isLocal(text)).map(({ start, end }) => localDirectory(start, end));
  }
  if (action.text !== "stop" && action.text !== "cancel") return [];
  return words.filter(({ text }) => isLocal(text.replace(/^--?\w+=/, ""))).map(({ start, end }) => localDirectory(start, end));
}

/** `--drain` sends the highest watermark, so timers and windows fire for good; a job that is started again from there counts wrongly. */
function drains({ action, words }: FlinkCommand, later: readonly FlinkCommand[]): TextReport[] {
  const drain = action.text === "stop" ? words.find(({ text }) => text === "-d" || text === "--drain") : undefined;
  if (drain === undefined || !later.some((next) => next.action.text.startsWith("run") && next.words.some(({ text }) => /^(?:-s|--fromSavepoint)(?:=|$)|savepoint(?:-path|\.path)=|state-recovery\.path=/.test(text)))) return [];
  return [{
    rule: "drain-in-restart", start: drain.start, end: drain.end, message: "This job is started again below, but `--drain` fires all its windows and timers as if its input had ended. Stop without it.",
    fix: { kind: "edits", title: "Stop without draining", edits: [{ start: drain.start - 1, end: drain.end, text: "" }] },
  }];
}

/** `-Dkey=value`, also `-D key=value`. */
function dynamicSettings(words: readonly Word[]): readonly Setting[] {
  return words.flatMap((word, at) => {
    const pair = word.text.startsWith("-D") ? word.text.slice(2) || words[at + 1]?.text : /^-yD/.test(word.text) ? word.text.slice(3) || words[at + 1]?.text : undefined;
    const match = pair === undefined ? null : /^([\w.-]+)=(.*)$/s.exec(pair);
    return match === null ? [] : [{ key: match[1] ?? "", value: match[2] ?? "", start: word.start, end: word.end }];
  });
}

/** Paimon's CDC actions write a table; without the option their savepoints get no tag (P-7). */
function paimonActions({ action, words }: FlinkCommand): TextReport[] {
  if (!action.text.startsWith("run") || !words.some(({ text }) => /paimon-flink-action[^/]*\.jar$/.test(text))) return [];
  const verb = words.find(({ text }) => /^\w+_sync_(?:table|database)$/.test(text));
  if (verb === undefined || words.some(({ text }) => /sink\.savepoint\.auto-tag=true/i.test(text))) return [];
  return [{ rule: "paimon-savepoint-tag", start: verb.start, end: verb.end, message: "The snapshot a savepoint of this job points to can expire, since no tag keeps it: add `--table_conf sink.savepoint.auto-tag=true`." }];
}
