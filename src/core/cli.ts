import type { SavepointFormat } from "./model/checkpoint";
import type { FlinkVersion } from "./model/version";
import { capabilitiesOf } from "./model/version";
import type { ClaimMode } from "./ports";

/** What a CLI line needs to know of the cluster. */
export interface CliTarget {
  /** Base address of the REST API. */
  readonly url: string;
  readonly version: FlinkVersion;
}

/** A verb as a line for `bin/flink`. */
export type CliVerb =
  | { verb: "trigger"; jobId: string; directory?: string; format: SavepointFormat }
  | { verb: "stop"; jobId: string; directory?: string; format: SavepointFormat; drain: boolean }
  | { verb: "cancel"; jobId: string }
  | { verb: "restore"; jar: string; entryClass?: string; programArgs?: readonly string[]; parallelism?: number; savepointPath?: string; claimMode?: ClaimMode; allowNonRestoredState?: boolean }
  | { verb: "dispose"; path: string };

/**
 * The `bin/flink` line that does the same as our verb, correct for the cluster's version: `-type` from 1.15, `-restoreMode` up to 1.19
 * and `-claimMode` from 1.20, `-detached` from 1.19 (C-6…C-8, C-25, C-31). Quoted for a POSIX shell. Where the client can't
 * reach the cluster at all (up to 1.18 its `-m` takes no path) the line is a remark that says so, and no command.
 */
export function cliLine(target: CliTarget, action: CliVerb): string {
  const can = capabilitiesOf(target.version);
  const words: string[] = [action.verb === "trigger" || action.verb === "dispose" ? "savepoint" : action.verb === "restore" ? "run" : action.verb];
  const hindrance = cliHindrance(target);
  if (hindrance !== undefined) return `# ${hindrance}`;
  // Without -detached the client gives up after a minute, while the savepoint goes on (client.timeout).
  const wait = can.cliDetached ? ["-detached"] : ["-Dclient.timeout=7d"];
  const type = (format: SavepointFormat): string[] => (can.savepointFormats ? ["-type", format] : []);
  const cluster = clusterWords(target);
  switch (action.verb) {
    case "trigger":
      words.push(...type(action.format), ...wait, ...cluster, action.jobId);
      if (action.directory !== undefined) words.push(action.directory);
      break;
    case "stop":
      words.push(...type(action.format), ...(action.directory === undefined ? [] : ["-p", action.directory]), ...(action.drain ? ["-d"] : []));
      words.push(...wait, ...cluster, action.jobId);
      break;
    case "cancel":
      words.push(...cluster, action.jobId);
      break;
    case "dispose":
      words.push("-d", action.path, ...cluster);
      break;
    case "restore":
      words.push("-d", ...cluster);
      if (action.savepointPath !== undefined) {
        words.push("-s", action.savepointPath);
        if (action.claimMode !== undefined && can.claimModeField !== "none") words.push(can.claimModeField === "claimMode" ? "-claimMode" : "-restoreMode", action.claimMode);
        if (action.allowNonRestoredState === true) words.push("-n");
      }
      if (action.parallelism !== undefined) words.push("-p", String(action.parallelism));
      if (action.entryClass !== undefined) words.push("-c", action.entryClass);
      words.push(action.jar, ...(action.programArgs ?? []));
      break;
  }
  return ["flink", ...words].map(shellQuote).join(" ");
}

/** What keeps the client from reaching the cluster, as a sentence, or undefined: up to 1.18 its `-m` takes no path. */
export function cliHindrance(target: CliTarget): string | undefined {
  const prefix = prefixOf(new URL(target.url));
  return prefix === "" || capabilitiesOf(target.version).cliTakesAddress ? undefined : `The command line of Flink ${target.version.text} can't reach an address with a path (${prefix}); from 1.19 on it can.`;
}

/** `-m host:port`; an https or prefixed address in one word from 1.19 on, https as configuration before. */
function clusterWords(target: CliTarget): string[] {
  const url = new URL(target.url);
  const port = url.port !== "" ? url.port : url.protocol === "https:" ? "443" : "80";
  const prefix = prefixOf(url);
  if (url.protocol === "http:" && prefix === "") return ["-m", `${url.hostname}:${port}`];
  if (capabilitiesOf(target.version).cliTakesAddress) return ["-m", `${url.protocol}//${url.hostname}:${port}${prefix}`];
  return ["-m", `${url.hostname}:${port}`, ...(url.protocol === "https:" ? ["-Dsecurity.ssl.rest.enabled=true"] : [])];
}

function prefixOf(url: URL): string {
  return url.pathname.replace(/\/+$/, "");
}

/** A word for a POSIX shell. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
