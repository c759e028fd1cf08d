import { FlinkError } from "../../core/errors";
import { explain, explainWarning } from "../../core/explain";
import { directoryWarning } from "../../core/guards";
import type { SavepointFormat } from "../../core/model/checkpoint";
import type { ClusterInfo } from "../../core/model/cluster";
import { locationFault, placeKey } from "../../core/model/location";
import type { Choice, Remark, Steps, Tool } from "./steps";

/** What the question for a directory depends on. */
export interface DirectoryFacts {
  /** Key and name of the cluster. */
  readonly cluster: string;
  readonly clusterName: string;
  readonly info: ClusterInfo;
  /** Directories used before, newest first. */
  readonly recent: readonly string[];
}

/** A remark about a location as it is typed: what must never be sent to Flink is an error (C-37). */
export function locationRemark(text: string): Remark | undefined {
  const fault = locationFault(text);
  return fault === undefined ? undefined : { severity: "error", text: explain(new FlinkError("location-invalid", { location: text, fault })).message };
}

/**
 * Asks where a savepoint goes: the cluster's own directory, one used before, or one typed. Resolves to null for the cluster's own. A cluster
 * without one has no default, and the question says so (C-37); a folder of one machine is remarked on (C-38).
 */
export async function askDirectory(ask: Steps, facts: DirectoryFacts): Promise<string | null> {
  const own = facts.info.savepointDirectory;
  const recent = facts.recent.filter((directory) => own === null || placeKey(directory) !== placeKey(own));
  const choices: Choice<{ directory: string | null } | { typed: string }>[] = [
    ...(own === null ? [] : [{ label: `$(folder) ${own}`, description: "configured on the cluster", value: { directory: null } }]),
    ...recent.map((directory, at) => ({ label: `$(history) ${directory}`, description: at === 0 ? "used last time" : "used before", value: { directory } })),
  ];
  const none = `${facts.clusterName} has no savepoint directory configured, so there is no default.`;
  let typed = "";
  if (choices.length > 0) {
    const chosen = await ask.choose({
      placeholder: own === null ? `${none} Where shall it go?` : "Where shall the savepoint go?", choices,
      typed: (text) => ({ label: text === "" ? "$(edit) Another directory…" : `$(edit) ${text}`, ...(text === "" ? {} : { description: locationFault(text) === undefined ? (directoryRemark(text, facts)?.text ?? "this directory") : "not a full path or URI yet" }), value: { typed: text } }),
    });
    if ("directory" in chosen) return chosen.directory;
    if (chosen.typed !== "" && locationFault(chosen.typed) === undefined) return chosen.typed;
    typed = chosen.typed;
  }
  return ask.enter({
    prompt: choices.length > 0 ? "Directory for the savepoint; Flink makes a folder of its own in it." : `${none} Name one that JobManager and TaskManagers can write to.`,
    placeholder: "such as: s3://bucket/savepoints", initial: typed,
    check: (text) => directoryRemark(text, facts),
  });
}

/** Asks for the format, canonical first (C-7, C-20). */
export function askFormat(ask: Steps): Promise<SavepointFormat> {
  return ask.choose<SavepointFormat>({
    placeholder: "In which format?",
    choices: [
      { label: "Canonical", description: "for upgrades and for keeping", detail: "The same for every state backend: a job with another one can start from it.", value: "canonical" },
      { label: "Native", description: "faster, often smaller", detail: "In the state backend's own format: only a job with the same backend can start from it.", value: "native" },
    ],
  });
}

/** What keeps a text from being a savepoint's description. */
export function descriptionRemark(text: string): Remark | undefined {
  return text.length > 500 ? { severity: "error", text: "At most 500 characters." } : undefined;
}

/** Asks what the savepoint is for; empty is fine. It is the last question, so it says what `does` happen on Enter. */
export function askDescription(ask: Steps, does: string, tool?: Tool): Promise<string> {
  return ask.enter({
    prompt: `Enter ${does}. A note for it, if you like:`, placeholder: "such as: before v2", ...(tool === undefined ? {} : { tool }),
    check: descriptionRemark,
  });
}

function directoryRemark(text: string, facts: DirectoryFacts): Remark | undefined {
  const fault = locationRemark(text);
  if (fault !== undefined) return fault;
  const warning = directoryWarning(text, facts.cluster);
  return warning === undefined ? undefined : { severity: "warning", text: explainWarning(warning) };
}
