import type { Blackout, Schedule } from "../lifecycle/lifecycleFile";
import { blackoutText } from "./blackout";
import { cronFields, readCron, type Cron, type CronFieldName } from "./cron";
import { shortestGapMs, shortestIntervalMs } from "./cronRuns";
import { cronMeaning } from "./cronText";
import { quartzOf } from "./quartz";
import { savepointScript } from "./savepointScript";

/** Where a schedule can be exported to. */
export const exportKinds = ["operator", "cronjob", "crontab", "gitlab", "github"] as const;

/** A place to export to: Flink's Kubernetes operator, a Kubernetes CronJob, a crontab, GitLab CI, GitHub Actions. */
export type ExportKind = (typeof exportKinds)[number];

/** A schedule, and what of the cluster the text needs. */
export interface ExportedSchedule {
  readonly schedule: Schedule;
  /** Address of the cluster's REST API. */
  readonly url: string;
  /** Major and minor release, such as `[1, 20]`; null when it is not known. */
  readonly flink: readonly [number, number] | null;
}

/** A text to review; nothing of it is applied. */
export interface ExportedText {
  /** VS Code's id of its language. */
  readonly language: "yaml" | "shellscript";
  readonly text: string;
}

/** The schedule in the dialect of another scheduler. `schedule.cron` must be valid. */
export function exportSchedule(kind: ExportKind, exported: ExportedSchedule): ExportedText {
  const { cron } = readCron(exported.schedule.cron);
  if (cron === undefined) throw new RangeError(`no cron expression: ${exported.schedule.cron}`);
  const kept = atLeastTenMinutesApart(cron);
  switch (kind) {
    case "operator": return { language: "yaml", text: operatorResources(exported, cron, kept) };
    case "cronjob": return { language: "yaml", text: cronJob(exported, cron, kept) };
    case "crontab": return { language: "shellscript", text: crontab(exported, cron, kept) };
    case "gitlab": return { language: "yaml", text: gitlabJob(exported, cron, kept) };
    case "github": return { language: "yaml", text: githubWorkflow(exported, cron, kept) };
  }
}

/**
 * The same expression with minutes that leave ten between them in each hour and from one hour to the next (A-10): no other scheduler does that by
 * itself. The same object when there is nothing to leave out.
 */
function atLeastTenMinutesApart(cron: Cron): Cron {
  if (shortestGapMs(cron) >= shortestIntervalMs) return cron;
  const values: number[] = [];
  for (const minute of cron.minute.values) {
    const [first] = values;
    if (first === undefined || (minute - (values.at(-1) ?? 0) >= 10 && first + 60 - minute >= 10)) values.push(minute);
  }
  const minute = { text: values.join(","), values, restricted: true };
  return { ...cron, minute, text: [minute.text, ...cronFields.slice(1).map((field) => cron[field].text)].join(" ") };
}

/**
 * The five fields as cron daemons, Kubernetes, GitLab and GitHub read them: every value listed, since a field that begins with `*` makes some of them want both
 * days instead of either; Sunday is 0.
 */
function unixCronOf(cron: Cron): string {
  const text = (field: CronFieldName): string => {
    const { restricted, values } = cron[field];
    if (!restricted) return "*";
    return (field === "day-of-week" ? values.map((day) => day % 7).sort((a, b) => a - b) : values).join(",");
  };
  return cronFields.map(text).join(" ");
}

/** The first line is short and says what the text is for: an editor that has no file for it takes it as its title. */
function head(kind: string, { schedule }: ExportedSchedule, cron: Cron, kept: Cron, ...more: readonly (string | null)[]): string {
  const thinned = kept === cron ? null : "It declares runs less than 10 minutes apart; here those remain that are at least 10 minutes apart.";
  const lines = [`${kind} “${schedule.name}”`, `Schedule “${schedule.name}” of ${schedule.job}: ${cronMeaning(cron)} (${schedule.timeZone}), “${cron.text}”.`, thinned, ...more];
  return lines.filter((line) => line !== null).flatMap((line) => wrapped(line.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " "))).map((line) => `# ${line}`).join("\n");
}

/** Lines of about a hundred characters; a line that is indented is a command and stays whole, and so does what stands in “”. */
function wrapped(text: string): string[] {
  if (text.startsWith(" ")) return [text];
  const lines: string[] = [];
  for (const word of text.split(/ (?![^“]*”)/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 100) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Settings of the operator by their keys. */
function operatorResources(exported: ExportedSchedule, cron: Cron, kept: Cron): string {
  const { schedule, flink } = exported;
  const { name, namespace, known } = deploymentOf(exported);
  const [first = "", second] = quartzOf(kept);
  const directoryKey = flink !== null && (flink[0] < 1 || (flink[0] === 1 && flink[1] < 20)) ? "state.savepoints.dir" : "execution.checkpointing.savepoint-dir";
  const top = head(
    "Operator", exported, cron, kept,
    "Apply with: kubectl apply --server-side --field-manager=flink-savepoints -f FILE",
    known ? null : "The names of deployment and namespace are guesses: set them.",
    schedule.timeZone === "UTC" ? "The operator reads the expression in the time zone of its own pod, which is UTC unless TZ says otherwise."
      : `The operator reads the expression in the time zone of its own pod: set TZ=${schedule.timeZone} in the operator's deployment, which counts for every schedule it runs.`,
    "The operator takes runs late and promises no interval; it skips them while the job does not run. In the hour that clocks leave out or repeat Quartz decides for itself.",
    "It removes periodic savepoints by rules of its own: kubernetes.operator.savepoint.history.max.count (10) and .max.age (1 day).",
    schedule.blackouts.length === 0 ? null : `It knows no blackouts, so these are not kept: ${schedule.blackouts.map(blackoutText).join("; ")}.`,
    second === undefined ? null : "Days of the month and of the week are two expressions, of which the operator takes one: the other is the CronJob below.",
  );
  const settings: Readonly<Record<string, string>> = {
    "kubernetes.operator.periodic.savepoint.interval": first, "kubernetes.operator.savepoint.format.type": schedule.format.toUpperCase(), ...(schedule.directory === undefined ? {} : { [directoryKey]: schedule.directory }),
  };
  const deployment = [
    "apiVersion: flink.apache.org/v1beta1", "kind: FlinkDeployment", "metadata:", `  name: ${quoted(name)}`, `  namespace: ${quoted(namespace)}`, "spec:", "  flinkConfiguration:",
    ...Object.entries(settings).map(([key, value]) => `    ${key}: ${quoted(value)}`),
  ].join("\n");
  if (second === undefined) return `${top}\n${deployment}\n`;
  const others: Cron = { ...kept, "day-of-month": { text: "*", values: [], restricted: false } };
  const resource = [
    "apiVersion: flink.apache.org/v1beta1", "kind: FlinkStateSnapshot", "metadata:", `  generateName: ${quoted(`${labelOf(name, 40)}-`)}`, `  namespace: ${quoted(namespace)}`, "spec:", "  backoffLimit: 3",
    "  jobReference:", "    kind: FlinkDeployment", `    name: ${quoted(name)}`, "  savepoint:", `    formatType: ${schedule.format.toUpperCase()}`, ...(schedule.directory === undefined ? [] : [`    path: ${quoted(schedule.directory)}`]), "    disposeOnDelete: false",
  ].join("\n");
  const cronJobText = [
    `# Its service account may create flinkstatesnapshots. The same as ${second} in Quartz.`,
    ...cronJobHead(exported, unixCronOf(others)),
    "          serviceAccountName: flink-savepoints", "          restartPolicy: Never", "          containers:", "            - name: snapshot", "              image: bitnami/kubectl:latest", "              command: [\"sh\", \"-c\"]", "              args:", "                - |",
    "                  kubectl create -f - <<'END'", ...indented(forKubernetes(resource), 18), "                  END",
  ].join("\n");
  return `${top}\n${deployment}\n---\n${cronJobText}\n`;
}

function cronJob(exported: ExportedSchedule, cron: Cron, kept: Cron): string {
  const top = head(
    "CronJob", exported, cron, kept,
    "Needs Kubernetes 1.27 or newer, for timeZone. Apply with: kubectl apply -f FILE",
    "Credentials, if the cluster wants any, come from the secret flink-savepoints: FLINK_TOKEN, or FLINK_USER and FLINK_PASSWORD.",
  );
  const environment = Object.entries(environmentOf(exported)).flatMap(([name, value]) => [`                - name: ${name}`, `                  value: ${quoted(forKubernetes(value))}`]);
  return `${top}\n${[
    ...cronJobHead(exported, unixCronOf(kept)),
    "          restartPolicy: Never", "          containers:", "            - name: savepoint", "              image: python:3.12-slim", "              env:", ...environment,
    "              envFrom:", "                - secretRef:", "                    name: flink-savepoints", "                    optional: true", "              command: [\"python3\", \"-c\"]", "              args:", "                - |", ...indented(savepointScript, 18),
  ].join("\n")}\n`;
}

function cronJobHead(exported: ExportedSchedule, expression: string): string[] {
  const { schedule } = exported;
  const { namespace } = deploymentOf(exported);
  return [
    "apiVersion: batch/v1", "kind: CronJob", "metadata:", `  name: ${quoted(labelOf(`${schedule.job}-${schedule.name}`, 52))}`, `  namespace: ${quoted(namespace)}`, "spec:", `  schedule: ${quoted(expression)}`, `  timeZone: ${quoted(schedule.timeZone)}`,
    `  suspend: ${String(!schedule.enabled)}`, "  # A run that could not start in a minute is missed, and not made up for.", "  startingDeadlineSeconds: 60", `  concurrencyPolicy: ${schedule.whenBusy === "skip" ? "Forbid" : "Allow"}`, "  successfulJobsHistoryLimit: 3", "  failedJobsHistoryLimit: 3",
    "  jobTemplate:", "    spec:", "      # A pod that was lost in the middle must not take a second savepoint; the program itself tries again.", "      backoffLimit: 0", "      template:", "        spec:",
  ];
}

function crontab(exported: ExportedSchedule, cron: Cron, kept: Cron): string {
  const { schedule } = exported;
  const file = `/usr/local/lib/flink-savepoints/${labelOf(`${schedule.job}-${schedule.name}`, 60)}.py`;
  const top = head(
    "crontab", exported, cron, kept,
    `1. Put the program at the end into ${file}.`, "2. Add these lines to the crontab of a user (crontab -e). Credentials, if the cluster wants any: FLINK_TOKEN=…, or FLINK_USER=… and FLINK_PASSWORD=…",
    schedule.timeZone === "UTC" ? "CRON_TZ is cronie's; where cron does not know it (Debian's), the machine must be in UTC." : `CRON_TZ is cronie's. Debian's cron does not know it: there the machine, or cron's own TZ, must be ${schedule.timeZone}.`,
  );
  const environment = Object.entries(environmentOf(exported)).map(([name, value]) => `${name}=${crontabValue(value)}`);
  const pause = schedule.enabled ? "" : "# paused: ";
  return `${top}\n\nCRON_TZ=${schedule.timeZone}\n${environment.join("\n")}\n${pause}${unixCronOf(kept)} python3 ${file}\n\n# ---- ${file}\n${savepointScript.trimEnd().split("\n").map((line) => `# ${line}`.trimEnd()).join("\n")}\n`;
}

function gitlabJob(exported: ExportedSchedule, cron: Cron, kept: Cron): string {
  const { schedule } = exported;
  const variable = labelOf(`${schedule.job}-${schedule.name}`, 60);
  const top = head(
    "GitLab CI", exported, cron, kept,
    "A job for .gitlab-ci.yml. Its runner must reach the cluster. Its schedule is made once, under Build, Pipeline schedules, or with:",
    `  glab api --method POST projects/:id/pipeline_schedules -f description=${shellWord(`${schedule.job}: ${schedule.name}`)} -f ref=main -f cron=${shellWord(unixCronOf(kept))} -f cron_timezone=${shellWord(schedule.timeZone)} -f active=${String(schedule.enabled)}`,
    `and the variable SCHEDULE_NAME=${variable} in it, by which this job knows that it is meant.`,
    "Credentials, if the cluster wants any, are masked variables of the project: FLINK_TOKEN, or FLINK_USER and FLINK_PASSWORD.",
  );
  return `${top}\n${[
    `${quoted(`savepoint ${variable}`)}:`, "  image: python:3.12-slim", "  rules:", `    - if: ${quoted(`$CI_PIPELINE_SOURCE == "schedule" && $SCHEDULE_NAME == "${variable}"`)}`, `  resource_group: ${quoted(variable)}`, "  variables:",
    // A runner would fill in variables of its own for a dollar sign.
    ...Object.entries(environmentOf(exported)).map(([name, value]) => `    ${name}: ${quoted(value.replaceAll("$", "$$$$"))}`), "  script:", "    - |", "      python3 - <<'END'", ...indented(savepointScript, 6), "      END",
  ].join("\n")}\n`;
}

function githubWorkflow(exported: ExportedSchedule, cron: Cron, kept: Cron): string {
  const { schedule } = exported;
  const label = labelOf(`${schedule.job}-${schedule.name}`, 60);
  const top = head(
    "GitHub Actions", exported, cron, kept,
    `A workflow: .github/workflows/${label}.yml, which counts on the default branch only. Its runner must reach the cluster, and have Python 3.9 or newer.`,
    schedule.timeZone === "UTC" ? null : "GitHub knows timezone since March 2026; a GitHub Enterprise Server may not, and refuses the workflow then.",
    "GitHub starts runs late when it is busy and may leave them out, and those of a public repository that saw no activity for 60 days. What falls into the hour that clocks leave out runs at its end.",
    schedule.enabled ? null : "The schedule is paused: its lines are comments, and it runs by hand only.",
    "Credentials, if the cluster wants any, are secrets of the repository: FLINK_TOKEN, or FLINK_USER and FLINK_PASSWORD.",
  );
  const pause = schedule.enabled ? "" : "# ";
  return `${top}\n${[
    `name: ${quoted(`savepoint ${label}`)}`, "on:", "  workflow_dispatch:", `  ${pause}schedule:`, `  ${pause}  - cron: ${quoted(unixCronOf(kept))}`, ...(schedule.timeZone === "UTC" ? [] : [`  ${pause}    timezone: ${quoted(schedule.timeZone)}`]),
    "permissions: {}", "concurrency:", `  group: ${quoted(`savepoint ${label}`)}`, "  cancel-in-progress: false", "jobs:", "  savepoint:", "    runs-on: self-hosted", "    env:",
    ...Object.entries(environmentOf(exported)).map(([name, value]) => `      ${name}: ${quoted(forGithub(value))}`), ...["FLINK_TOKEN", "FLINK_USER", "FLINK_PASSWORD"].map((name) => `      ${name}: \${{ secrets.${name} }}`),
    "    steps:", "      - shell: bash", "        run: |", "          python3 - <<'END'", ...indented(savepointScript, 10), "          END",
  ].join("\n")}\n`;
}

function environmentOf({ schedule, url }: ExportedSchedule): Readonly<Record<string, string>> {
  return {
    FLINK_URL: url, FLINK_JOB: schedule.job, SAVEPOINT_FORMAT: schedule.format.toUpperCase(), ...(schedule.directory === undefined ? {} : { SAVEPOINT_DIRECTORY: schedule.directory }), SCHEDULE_ZONE: schedule.timeZone, SCHEDULE_RETRIES: String(schedule.retries),
    ...(schedule.blackouts.length === 0 ? {} : { SCHEDULE_BLACKOUTS: JSON.stringify(schedule.blackouts.map(withDayNumbers)) }),
  };
}

function withDayNumbers(blackout: Blackout): object {
  if ("firstDay" in blackout || blackout.days === undefined) return blackout;
  return { ...blackout, days: readCron(`0 0 * * ${blackout.days}`).cron?.["day-of-week"].values ?? [] };
}

/** The deployment that answers at an address: the operator's services are named `<deployment>-rest.<namespace>`. */
function deploymentOf({ schedule, url }: ExportedSchedule): { readonly name: string; readonly namespace: string; readonly known: boolean } {
  const [, name, namespace] = /^([a-z0-9-]+)-rest(?:\.([a-z0-9-]+))?(?:\.|$)/.exec(new URL(url).hostname) ?? [];
  return { name: name ?? labelOf(schedule.job, 45), namespace: namespace ?? "default", known: name !== undefined && namespace !== undefined };
}

/** A name as Kubernetes takes them: lower case, digits and hyphens. */
function labelOf(text: string, longest: number): string {
  const label = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").slice(0, longest).replaceAll(/^-+|-+$/g, "");
  return label === "" ? "flink" : label;
}

/** A string of JSON is one of YAML too. */
function quoted(text: string): string {
  // But for characters that YAML takes for line breaks, or does not take.
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Kubernetes fills in its variables for `$(NAME)` in values and arguments, and takes `$$` for a dollar sign. */
function forKubernetes(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** GitHub evaluates what stands in `${{ }}`; a string in it is itself. */
function forGithub(text: string): string {
  return text.replaceAll("${{", "${{ '${{' }}");
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** In a crontab a value goes to the line's end; quotes keep blanks at its ends. */
function crontabValue(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
  // Within quotes neither kind can stand for itself.
  if (line.includes('"') && line.includes("'") && !/^["']/.test(line)) return line;
  return line.includes('"') ? `'${line}'` : `"${line}"`;
}

function indented(text: string, by: number): string[] {
  return text.trimEnd().split("\n").map((line) => (line === "" ? "" : " ".repeat(by) + line));
}
