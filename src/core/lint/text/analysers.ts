import type { LanguageAnalyser } from "../language";
import { settingReports } from "./keys";
import { findingsOf } from "./report";
import { shellReports } from "./shellRules";
import { sqlReports } from "./sqlRules";
import { yamlSettings } from "./yamlSettings";

/** Texts longer than this are no scripts and no configuration; in UTF-16 units. */
const textLimit = 1_000_000;
/** A volume that all pods reach may be mounted where a local path points to. */
const sharedVolume = /\b(?:persistentVolumeClaim|volumeClaimTemplates|nfs|csi|azureFile|cephfs|glusterfs)\s*:/;
type Nothing = Readonly<Record<never, never>>;

/** Shell scripts, Dockerfiles and Makefiles that call `flink`. */
export const shell: LanguageAnalyser<Nothing> = {
  language: "shell",
  family: "shell",
  owns: (path) => /\.(?:sh|bash|zsh|ksh|mk)$|(?:^|\/)(?:Dockerfile|Containerfile|Makefile|Jenkinsfile|justfile)(?:\.[\w-]+)?$|\.[Dd]ockerfile$/.test(path),
  matters: (text) => text.length <= textLimit && /\bflink\s|flink["',]/.test(text),
  read: () => ({}),
  findings: ({ path, text }) => findingsOf(path, text, shellReports(text)),
};

/** Flink's configuration files, and YAML that holds its settings or calls `flink`: of the Kubernetes operator, of Compose, of a pipeline. */
export const config: LanguageAnalyser<Nothing> = {
  language: "config",
  family: "config",
  owns: (path) => /\.ya?ml$/.test(path),
  matters: (text) => text.length <= textLimit && /flink|savepoint|pipeline\.auto-generate-uids|auto-generate-uids|claim-mode|state:|state\.|uid/i.test(text),
  read: () => ({}),
  findings: ({ path, text }) => findingsOf(path, text, [...yamlSettings(path, text).flatMap(settingReports), ...shellReports(text)].filter(({ rule, end }) => rule !== "local-savepoint-directory" || !(sharedVolume.test(text) || isMountedTwice(text, end)))),
};

/** Whether the directory that stands behind the offset lies in a volume of Compose that several services mount. */
function isMountedTwice(text: string, at: number): boolean {
  const directory = /^["']?\s*[:=]?\s*["']?file:(?:\/\/)?(\/[^\s"']*)/.exec(text.slice(at, at + 1_000))?.[1];
  if (directory === undefined) return false;
  const mounts = [...text.matchAll(/^\s*-\s+["']?([^\s:"']+):(\/[^\s:"']*)/gm), ...text.matchAll(/\bsource:\s*["']?([^\s"']+)["']?\s+target:\s*["']?(\/[^\s"']*)/g)];
  const sources = mounts.filter(([, , target = ""]) => `${directory}/`.startsWith(target.endsWith("/") ? target : `${target}/`)).map(([, source]) => source);
  return new Set(sources).size < sources.length;
}

/** Flink SQL scripts. */
export const sql: LanguageAnalyser<Nothing> = {
  language: "sql",
  family: "sql",
  owns: (path) => /\.(?:sql|fql)$/.test(path),
  matters: (text) => text.length <= textLimit && /paimon|table\.exec\.uid/i.test(text),
  read: () => ({}),
  findings: ({ path, text }) => findingsOf(path, text, sqlReports(text)),
};
