import type { CommandId } from "./contributions";
import type { ErrorCode, ErrorFacts, FlinkError, Refusal } from "./errors";
import type { Warning } from "./guards";
import type { LocationFault } from "./model/location";
import { actionFault, catalogFault, gatewayFault } from "./paimon/failures";
import { pairGradeText } from "./paimon/pairText";
import { restoreAdvice } from "./restoreAdvice";
import { oneLine } from "./rowText";
import { countText, durationText, shortId, sizeText, spanText } from "./wording";

/** What a person reads about an error: what happened, to what, and what to do. */
export interface Explanation {
  readonly message: string;
  /** The next step; `retry` repeats the verb. */
  readonly action?: { readonly title: string; readonly command: CommandId | "retry" };
}

const settings = { title: "Edit Clusters", command: "flinkSavepoints.editClusters" } as const;
const warehouses = { title: "Edit Warehouses", command: "flinkSavepoints.editWarehouses" } as const;
const retry = { title: "Try Again", command: "retry" } as const;
const credentials = { title: "Set Credentials", command: "flinkSavepoints.setCredentials" } as const;

const networkReasons: Record<string, string> = {
  ECONNREFUSED: "connection refused", ENOTFOUND: "host not found", EAI_AGAIN: "host not found", ETIMEDOUT: "no connection in time",
  ECONNRESET: "connection reset", EHOSTUNREACH: "host unreachable", ENETUNREACH: "network unreachable", EPIPE: "connection closed",
};

const tlsReasons: Record<string, string> = {
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from an authority that is not trusted here", DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate comes from an authority that is not trusted here", UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate comes from an authority that is not trusted here",
  CERT_HAS_EXPIRED: "its certificate has expired", ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};

type Server = ErrorFacts["tls-expected"]["server"];

/** What was asked, as the subject of a sentence: a cluster is its address. */
const whom = (url: string, server: Server): string => (server === undefined ? url : `the SQL Gateway at ${url}`);
const Whom = (url: string, server: Server): string => (server === undefined ? url : `The SQL Gateway at ${url}`);
/** Where its address is set. */
const settingsOf = (server: Server): NonNullable<Explanation["action"]> => (server === undefined ? settings : warehouses);

/** Who must change what: the address, our certificate, or whom we trust. */
function tlsExplanation(url: string, reason: string, server: Server): Explanation {
  const head = `No secure connection to ${whom(url, server)}:`;
  if (reason === "ERR_SSL_WRONG_VERSION_NUMBER") return { message: `${head} it does not speak TLS. Use its http:// address.`, action: settingsOf(server) };
  if (reason.includes("ALERT")) return { message: `${head} it refused us (${reason}). It may want a client certificate.`, action: credentials };
  if (reason.startsWith("ERR_OSSL_")) return { message: `${head} our certificate, key or passphrase does not fit (${reason}). Set it again.`, action: credentials };
  return { message: `${head} ${tlsReasons[reason] ?? reason}. Name the authority's PEM file as caFile of ${server === undefined ? "this cluster" : "its warehouse"}.`, action: settingsOf(server) };
}

/** What is no answer of Flink's: a proxy tells by its status when it only stands before what is down or busy. */
function strangeExplanation({ url, status, title, server }: ErrorFacts["not-flink"]): Explanation {
  if (status === 429) return { message: `${Whom(url, server)} takes no more requests for the moment (429). Wait a little before you try again.`, action: retry };
  const page = title === null ? null : `the page “${title}”`;
  if (status === 502 || status === 503 || status === 504) return { message: `A proxy answered for ${whom(url, server)} (${status}${page === null ? "" : `, ${page}`}): what is behind it is down, or starting. Check that it runs.`, action: retry };
  return { message: `${Whom(url, server)} answered with ${page ?? `something that is not ${server === undefined ? "Flink's" : "a gateway's"}`} (${status}). Check the address and its path; a proxy or login page may stand in between.`, action: settingsOf(server) };
}

/** The reason of a failed connection in words, for a row as well as a sentence. */
export function reasonText(reason: string): string {
  return networkReasons[reason] ?? reason;
}

const sentences: { readonly [C in ErrorCode]: (facts: ErrorFacts[C]) => Explanation } = {
  "cluster-unreachable": ({ url, reason, server }) => ({ message: `Could not reach ${whom(url, server)}: ${reasonText(reason)}. Check that ${server === undefined ? "the cluster" : "it"} runs and that its address is right.`, action: settingsOf(server) }),
  "tls-failed": ({ url, reason, server }) => tlsExplanation(url, reason, server),
  "tls-expected": ({ url, server }) => ({ message: `${Whom(url, server)} speaks TLS. Use its https:// address.`, action: settingsOf(server) }),
  "unauthorized": ({ url, status, server }) => ({ message: `${Whom(url, server)} did not accept our credentials (${status}). Set the user and password, token or certificate for it.`, action: credentials }),
  "not-flink": strangeExplanation,
  "redirected": ({ url, target, server }) => ({ message: `${Whom(url, server)} sent us on to ${target ?? "another address"}, and we do not follow with credentials or changes. Use the final address as ${server === undefined ? "the cluster's url" : "the warehouse's sqlGateway"}.`, action: settingsOf(server) }),
  "unexpected-reply": ({ url, detail }) => ({ message: `${url} answered in a form that no known Flink version uses (${detail}). The log has the details.`, action: { title: "Show Log", command: "flinkSavepoints.showLog" } }),
  "reply-too-large": ({ url, limitBytes }) => ({ message: `The answer of ${url} is larger than ${sizeText(limitBytes)} and was not read.` }),
  "no-answer": ({ url, afterMs, server }) => ({ message: `${Whom(url, server)} gave no answer within ${durationText(afterMs)}. It may be busy; nothing was changed.`, action: retry }),
  "answer-lost": ({ url, reason, server }) => ({ message: server !== undefined ? `No usable answer came from ${whom(url, server)} (${reasonText(reason)}). Nothing was changed.` : `No usable answer came from ${url} after the request was sent (${reasonText(reason)}), so its outcome is not known yet. We keep looking.` }),
  "no-such-route": ({ url }) => ({ message: `This Flink does not offer ${url}: its version is older, or the function is switched off.` }),
  "no-leader": ({ url }) => ({ message: `${url} has no leading JobManager at the moment. It is usually back within a minute.`, action: retry }),
  "flink-failed": ({ message }) => ({ message: `Flink refused: ${quoted(message)}` }),
  "job-not-found": ({ jobId }) => ({ message: `Flink no longer knows job ${shortId(jobId)}. It ended some time ago, or the JobManager was restarted.` }),
  "setting-invalid": ({ setting, problem }) => ({ message: `${setting === "token" ? "The stored" : "Setting"} ${setting}: ${problem}${end(problem)}`, action: setting === "token" ? credentials : settings }),
  "cluster-unknown": ({ cluster }) => ({ message: `No cluster with the address ${cluster} is configured any more.`, action: settings }),
  "refused": ({ verb, subject, refusals }) => ({ message: `${subject} can't be ${verb}. ${refusals.map(explainRefusal).join(" ")}` }),
  "savepoint-failed": ({ jobName, message, jobRestarted }) => ({ message: `The savepoint of ${jobName} failed: ${quoted(message)}${jobRestarted ? " The failed attempt restarted the job, or ended it where it has no restart strategy." : ""}` }),
  "stop-failed": ({ jobName, message, jobState }) => ({ message: `The stop of ${jobName} failed: ${quoted(message)} ${jobState === "ended" ? "The job has ended all the same." : jobState === "unknown" ? "What became of the job is not known." : `The job is ${jobState}.`}` }),
  "stopped-uncleanly": ({ jobName, path, jobState }) => ({ message: `The savepoint of ${jobName} is complete at ${path}, but the job then ended ${jobState}. Transactions may be uncommitted; a job restored from this savepoint commits them.` }),
  "restore-failed": ({ savepoint, message, exception }) => ({ message: [`The job did not start${savepoint === null ? "" : ` from ${savepoint}`}: ${quoted(message)}`, restoreAdvice(message, exception) ?? ""].join(" ").trim() }),
  "plan-arguments-lost": ({ jobName }) => ({ message: `The arguments of the planned restore of ${jobName} are no longer stored here, so it can't go on. The savepoint that it waits for is in the list: restore from it, and drop the plan.` }),
  "secrets-unavailable": ({ reason }) => ({ message: `The secret storage of the editor can't be used: ${quoted(reason)} Unlock the system's keyring and try again.`, action: retry }),
  "disposal-failed": ({ path, message, gone }) => ({ message: `Flink could not dispose of ${path}: ${quoted(message)} ${goneText[gone]}` }),
  "outcome-unknown": ({ what, jobName, lookIn }) => ({ message: `Flink no longer knows how the ${what} of ${jobName} ended.${lookIn === null ? "" : ` Look in ${lookIn}: a savepoint found there can be adopted.`} ${what === "start" ? "Look for the job in the list before starting another." : "The row keeps what is known."}` }),
  "never-received": ({ what, jobName }) => ({ message: `The ${what} of ${jobName} never reached Flink. Nothing was changed.`, action: retry }),
  "location-invalid": ({ location, fault }) => ({ message: locationText(location, fault) }),
  "ledger-unwritable": ({ folder, reason }) => ({ message: `The savepoint ledger in ${folder} can't be written (${reason}). Nothing was sent to Flink: without a record a savepoint could be lost.` }),
  "ledger-record-damaged": ({ file, reason }) => ({ message: `A ledger record could not be read and was set aside as ${file} (${reason}).` }),
  "file-unreadable": ({ path, reason }) => ({ message: `${path} can't be read (${reason}).` }),
  "move-failed": ({ from, to, reason }) => ({ message: `${from} could not be moved to ${to} (${reason}).` }),
  "file-not-a-jar": ({ path }) => ({ message: `${path} is not a jar file. Choose the jar that your build makes.` }),
  "metadata-elsewhere": ({ location }) => ({ message: `${location} is not reachable from here yet: only savepoints on local disks can be read.` }),
  "metadata-missing": ({ location, reason }) => ({ message: reason === "ENOENT" || reason === "ENOTDIR" ? `There is no _metadata at ${location} on this machine.` : `The _metadata at ${location} can't be read (${reason}).`, action: retry }),
  "warehouse-unknown": ({ warehouse }) => ({ message: `No Paimon warehouse at ${warehouse} is in the settings any more.`, action: warehouses }),
  "warehouse-unreachable": ({ warehouse, reason }) => warehouseExplanation(warehouse, reason),
  "lint-ended": ({ reason }) => ({ message: `The lint ended more than once (${{ memory: "it took more memory than it may have", crash: "it broke off", silence: "it did not answer" }[reason]}) and rests until its settings change or the window is reloaded. The log has the details.` }),
  "inspection-ended": ({ location, reason }) => ({ message: reason === "memory" ? `Reading ${location} took more memory than it may have, so it was ended.` : `Reading ${location} ended unexpectedly. The log has the details.`, action: retry }),
  // Settings say how a catalog is opened, and nothing of one table in it.
  "catalog-unreadable": ({ warehouse, gateway, at, reason }) => (at === "catalog" ? { message: catalogText(warehouse, gateway, reason), action: warehouses } : { message: `The SQL Gateway at ${gateway} could not read it: ${quoted(reason)}`, action: retry }),
  "catalog-secret-missing": ({ name, options }) => ({ message: `The warehouse ${oneLine(name, 80)} lacks ${options.map((option) => oneLine(option, 80)).join(" and ")}: never stored on this machine, or stored for other options or another gateway than it has now. Store Warehouse Secrets asks for the value.`, action: { title: "Store Secrets…", command: "flinkSavepoints.storeWarehouseSecrets" } }),
  "paimon-action-failed": ({ table, what, message, at }) => ({ message: `Paimon could not ${what} of ${table}: ${quoted(actionFault(message, at))}` }),
  "paimon-action-lost": ({ table, what, reason }) => ({ message: `Whether Paimon did ${what} of ${table} is not known: ${reason}. The table is looked at before anything goes on.` }),
  "paimon-jars-missing": ({ path }) => ({ message: `There is no jar at ${path}, and no folder with jars. Name Flink's lib folder and Paimon's bundle as jars of the warehouse, or none to have them fetched.`, action: { title: "Edit Warehouses", command: "flinkSavepoints.editWarehouses" } }),
  "statement-failed": ({ url, message, catalogOf }) => (catalogOf === undefined || catalogOf === null
    ? { message: gatewayFault(url, message) ?? `The SQL Gateway refused: ${quoted(message)}` }
    : { message: `${catalogText(catalogOf, url, message)} Nothing was done.`, action: warehouses }),
  "gateway-too-old": ({ url, version, since }) => ({ message: `The SQL Gateway at ${url} runs Flink ${version}, whose SQL can't call Paimon's procedures; it can from ${since} on. Remove sqlGateway from the warehouse to use Paimon's own command.` }),
  "table-unwritable": ({ table, file, reason }) => ({ message: `${file} can't be written (${reason}), and Paimon can't read ${table} before it is. Continue the rollback when it can be.` }),
  "rollback-unverified": ({ table, tag, difference }) => ({ message: `The table ${table} is not what its tag ${tag} is after the rollback: ${difference}. Nothing is restored from it. Something else may write to the table: then stop it, give this rollback up and begin anew.` }),
  "local-flink-java-missing": ({ looked, found }) => ({ message: `Local Flink needs Java 11 or newer; ${found === null ? `none was found (${looked})` : `${looked} is ${found}`}. Install a JDK or set flinkSavepoints.localFlink.javaHome.` }),
  "local-flink-jars-missing": ({ what, missing, tried }) => ({ message: `${countText(missing.length, "jar")} of ${what} ${missing.length === 1 ? "is" : "are"} not on this machine and could not be fetched (${tried}). Install Maven, or set flinkSavepoints.localFlink.mavenRepository.` }),
  "local-flink-jar-corrupt": ({ file }) => ({ message: `${file} is not the file that Flink was released with, and was not used. Delete it and try again.`, action: retry }),
  "local-flink-port-taken": ({ port }) => ({ message: `No free port from ${port} on. Set flinkSavepoints.localFlink.port.` }),
  "local-flink-died": ({ exitCode, logFile, lastLines }) => ({ message: `Local Flink ended while starting${exitCode === null ? "" : ` (exit code ${exitCode})`}${lastLine(lastLines)} The log is ${logFile}.` }),
  "local-flink-already-running": ({ url }) => ({ message: `Local Flink already runs at ${url}.` }),
  "local-flink-unsupported": ({ platform }) => ({ message: `Flink does not run on ${platform} itself. Open the folder in WSL, a container or a remote machine, and start Local Flink there.` }),
};

function catalogText(warehouse: string, gateway: string, reason: string): string {
  return `The SQL Gateway at ${gateway} can't open the catalog of the warehouse ${oneLine(warehouse, 80)}: ${quoted(catalogFault(reason))}`;
}

function warehouseExplanation(warehouse: string, reason: string): Explanation {
  switch (reason) {
    case "elsewhere": return { message: `The warehouse ${warehouse} is not on this machine's disks. Name a Flink SQL Gateway that reaches it as its sqlGateway: its tables are listed through that.`, action: warehouses };
    case "missing": return { message: `There is no folder at ${warehouse} on this machine.`, action: warehouses };
    case "file": return { message: `The warehouse ${warehouse} is a file, and a warehouse is a folder.`, action: warehouses };
    default: return { message: `The warehouse ${warehouse} can't be read (${reason}).`, action: warehouses };
  }
}

const goneText: Record<ErrorFacts["disposal-failed"]["gone"], string> = {
  gone: "Its files are gone all the same, so it is listed as disposed.", partly: "Its _metadata is gone, so it can't be restored from any more; other files are left in the folder.",
  there: "Its files are still there.", unknown: "Whether its files are gone can't be seen from here.",
};

/** The sentence for an error, and the next step. */
export function explain<C extends ErrorCode>(error: FlinkError<C>): Explanation {
  return (sentences[error.code] as (facts: ErrorFacts[C]) => Explanation)(error.facts);
}

/** Why a rule forbids a verb, as one or two sentences. */
export function explainRefusal(refusal: Refusal): string {
  switch (refusal.rule) {
    case "job-not-running": return refusal.state === "gone" ? "Flink no longer knows the job." : `The job is ${refusal.state}, and Flink takes savepoints of running jobs only.`;
    case "tasks-not-running": return `${refusal.running} of ${refusal.total} tasks run; Flink needs all of them.`;
    case "operation-running": return refusal.what === "stop"
      ? `A stop with savepoint has been under way for ${spanText(refusal.forMs)}; another request now would fail, and a second stop would also fail the first and restart the job.`
      : `A ${refusal.what} of it has been under way for ${spanText(refusal.forMs)}.`;
    case "action-running": return refusal.process.pid === 0 ? `The SQL Gateway ${refusal.process.host} is at a statement that was sent for ${refusal.table}, and nothing was heard of it for ${spanText(refusal.forMs)}. Go on when it has ended; should it hang, restart the gateway first, or it may roll the table back later.` : `Paimon's action command (process ${refusal.process.pid} on ${refusal.process.host}) has been at work on ${refusal.table} for ${spanText(refusal.forMs)}, begun by an earlier window. Go on when it has ended; one that hangs has to be ended by hand first, or it may roll the table back later.`;
    case "statement-unknown": return `It is not known whether the statement that was sent for ${refusal.table} has ended: ${statementDoubt(refusal.gateway, refusal.reason)}. One that still runs may roll the table back later, and what is written until then is lost.`;
    case "no-directory": return "No directory was given and the cluster has none configured.";
    case "cluster-reads-only": return refusal.kind === "history" ? "This is a history server: it shows jobs that ended and changes nothing." : "This cluster runs one application and takes no jars. Copy the command and start it where the application is deployed.";
    case "version-too-old": return `Flink ${refusal.version} is too old; this needs ${refusal.since}.`;
    case "cancel-switched-off": return "The cluster's owner switched cancelling off (web.cancel.enable).";
    case "not-completed": return `It is ${refusal.state}, not completed.`;
    case "outcome-known": return `The outcome of the savepoint is known: it is ${refusal.state}.`;
    case "already-disposed": return "It was disposed of before.";
    case "disposal-running": return "It is being disposed of.";
    case "moved-aside": return "Cleanup moved it aside. Put it back first (Put Back and Pin, under Preview Cleanup of its job).";
    case "not-aside": return "Cleanup has not moved it aside, or it is gone for good.";
    case "forgotten": return "It was forgotten, and its files are kept on purpose.";
    case "preview-outdated": return "A newer preview was made since. Look at that one first.";
    case "cleanup-running": return `Another window has been cleaning up after this job for ${spanText(refusal.forMs)}.`;
    case "no-path": return "Its location is not known.";
    case "pinned": return "It is pinned. Unpin it first.";
    case "pinned-beside": return `Another window or program pinned it, as ${refusal.file} says. Unpin it there, or delete that file.`;
    case "claim-of-pinned": return "It is pinned, and Flink deletes what it takes over with CLAIM. Let the files stay yours (NO_CLAIM), or unpin it first.";
    case "checkpoint-of-stopped": return `It is a checkpoint of ${jobText(refusal.by)}, and Flink deletes those when the job stops. Start a second job from it, then stop the first.`;
    case "claim-of-needed": return `${jobText(refusal.by)} needs it too, and Flink deletes what it takes over with CLAIM. Let the files stay yours (NO_CLAIM).`;
    case "claimed": return `${jobText(refusal.by)} claimed it: its files belong to that job, and Flink deletes them when they are no longer needed.`;
    case "no-claim-not-safe": return `${jobText(refusal.by)} was restored from it and has not completed a checkpoint since. It is safe after the next one${refusal.checkpointIntervalMs === null ? "" : ` (checkpoints every ${spanText(refusal.checkpointIntervalMs)})`}.`;
    case "restore-source": return `${jobText(refusal.by)} was restored from it and would need it again when it fails over.`;
    case "in-use": return `${jobText(refusal.by)} ${refusal.how}.`;
    case "only-completed": return "It is the only completed savepoint of its job.";
    case "not-a-savepoint": return `${refusal.folder} is not a savepoint's folder, and a checkpoint's files may be shared with a job.`;
    case "pair-unproven": return `What of ${tablesText(refusal.tables)} belongs to the savepoint is not sure: ${pairGradeText(refusal.grade)}. Rolling back to a guess loses or doubles rows without a word.`;
    case "table-unknown": return refusal.away.length === 0
      ? `Its sink ${refusal.sink} writes to no table of the warehouses that are configured. Add its warehouse: all tables of a job are rolled back, or none.`
      : `Its sink ${refusal.sink} writes to no table of the warehouses that can be read now, and all tables of a job are rolled back, or none. ${refusal.away.map(({ warehouse, reason }) => warehouseExplanation(warehouse, reason).message).join(" ")}`;
    case "files-elsewhere": return `The files of ${tablesText(refusal.tables)} can't be read from here, only asked for through the SQL Gateway. Whether the tags' files are there, how much disk is free, and a rollback that breaks off could not be seen. Follow the runbook where the files are.`;
    case "table-twice": return `${tablesText(refusal.tables)} ${refusal.tables.length === 1 ? "is" : "are"} in ${refusal.warehouses.join(" and in ")}, and which of these the job writes to can't be told. Remove the other, perhaps a copy, from the warehouses of the settings.`;
    case "no-paimon-sink": return "Its job writes to no Paimon table, so there is nothing to roll back: it can be restored as it is.";
    case "writer-running": return `${jobText(refusal.by)} writes to ${refusal.table}. A rollback under a running writer loses rows without a word: stop it first.`;
    case "two-sinks": return `Several sinks of the job write ${tablesText(refusal.tables)}: each commits by itself, so that no snapshot holds what all of them had written.`;
    case "clusters-silent": return `Whether a job on ${refusal.clusters.map((cluster) => oneLine(cluster, 60)).join(" or ")} writes to its tables is not known: no answer, and nobody was told so.`;
    case "writers-unchecked": return `Whether a job on ${refusal.cluster} writes to its tables could not be checked (${refusal.reason}).`;
    case "table-moves": return refusal.from === refusal.to ? `Since it was looked at ${refusal.table} was rolled back and written to: its snapshot ${refusal.to} is another one. Give this rollback up, and begin anew.` : `Something writes to ${refusal.table}: its newest snapshot went from ${refusal.from} to ${refusal.to} since it was looked at.`;
    case "tag-needed": return `It belongs to ${refusal.tags.join(", ")}, which somebody keeps.`;
    case "ledger-unread": return `The record ${refusal.file} can't be read, and may say who needs it. Rules wait until it is mended, or deleted by you.`;
    case "tags-appeared": return `Since the preview ${refusal.table} got the ${refusal.tags.length === 1 ? "tag" : "tags"} ${refusal.tags.join(", ")}, which would be deleted. Give this rollback up, and begin anew to see all that goes.`;
    case "tag-damaged": return `The tag ${refusal.tag} of ${refusal.table} needs ${refusal.file}, which is gone or damaged.`;
    case "target-changed": {
      const what = "tag" in refusal.target ? `the tag ${refusal.target.tag} of ${refusal.table}` : `snapshot ${refusal.target.snapshotId} of ${refusal.table}`;
      return refusal.wasRemade ? `Since the preview ${what} was made anew, and is of another state now. Give this rollback up, and begin anew.` : `Since the preview ${what} has gone: it was deleted, or its time was over. Give this rollback up, and begin anew: where the snapshot is still there, a tag of it is made first.`;
    }
    case "rollback-taken-over": return "Another window has taken this rollback over, or gave it up, while nothing was heard of this one. See there how it stands.";
    case "tag-unnameable": return `The tag ${refusal.tag} of ${refusal.table} ${refusal.fault}. Make another of the same snapshot first.`;
    case "table-damaged": return `The file ${refusal.file} of ${refusal.table} can't be read, so what a rollback would delete can't be told.`;
    case "rollback-unfinished": return `A rollback of its job's tables is not finished: ${refusal.done} of ${refusal.total} are rolled back. Restored now, it would lose or double rows. Continue the rollback first, or give it up.`;
    case "job-unchecked": return `Whether ${jobText(refusal.job)} needs it could not be checked (${refusal.reason}).`;
    case "clock-differs": return refusal.aheadMs === null ? "Whether this machine's clock is right could not be checked: no job on its cluster tells the time. Rules wait until one runs there." : `${clockText(refusal.aheadMs)}, so nobody knows how old it is.`;
    case "cluster-unchecked": return `Whether jobs on ${refusal.cluster} need it could not be checked (${refusal.reason}).`;
  }
}

/** How two clocks differ, without a full stop. */
export function clockText(aheadMs: number): string {
  return `This machine's clock is ${spanText(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"} the cluster's`;
}

/** What to know before going on, as one or two sentences. */
export function explainWarning(warning: Warning): string {
  switch (warning.warning) {
    case "restart-from-scratch": return `This job has no completed checkpoint${warning.checkpointing ? " yet" : "; periodic checkpointing is off"}. If the attempt fails in the job, Flink restarts it ${warning.startedFrom === null ? "without any state" : `from ${warning.startedFrom}, and all state since then is lost`}.`;
    case "local-directory": return `${warning.directory} must be the same shared folder on the JobManager and on every TaskManager.`;
    case "may-expire": return `Earlier savepoints took ${durationText(warning.expectedMs)}, and the job's checkpoint timeout of ${durationText(warning.timeoutMs)} ends savepoints too.`;
    case "savepoint-running": return "A savepoint of this job is being taken; stopping now may make it fail.";
    case "drained": return "This savepoint was taken with drain: all timers and windows have fired, so a job restored from it gives wrong results.";
    case "job-runs": return `${jobText(warning.job)} still runs; both would read and write the same data.`;
    case "already-restored": return `${warning.jobs.map(jobText).join(", ")} ${warning.jobs.length === 1 ? "was" : "were"} started from it before; two jobs on one history may write the same results twice.`;
    case "paimon-later": return warning.intervalMs === null
      ? `It writes Paimon (${tablesText(warning.tables)}), which commits with checkpoints, and the job takes none by itself: this savepoint stays uncommitted${warning.tagged ? " and without tags" : ""} until one is triggered. Stop with Savepoint commits${warning.tagged ? " and tags" : ""} at once.`
      : `It writes Paimon (${tablesText(warning.tables)}). This savepoint is committed to the tables${warning.tagged ? ", and tagged," : ""} with the checkpoint after it (≈ ${spanText(warning.intervalMs)})${warning.tagged ? "; if the job ends before, there is no tag" : ""}. Stop with Savepoint commits${warning.tagged ? " and tags" : ""} at once, and leaves nothing open.`;
    case "paimon-untagged": return `Savepoints get no tag in ${tablesText(warning.tables)}: sink.savepoint.auto-tag is off ${warning.by === "job" ? "in this job" : "on the table, unless the job sets it by a hint"}. The state that belongs to the savepoint then expires, after an hour by default. Set the option on the table and start the job anew, or tag what belongs to each savepoint by hand (Pin Pair).`;
    case "paimon-drain": return `A drained job commits ${tablesText(warning.tables)} as the end of its input: Paimon makes no tag for this savepoint.`;
    case "paimon-restore": return paimonRestoreText(warning);
    case "uncommitted": return `The job ended ${warning.jobState} after this savepoint was written. A job restored from it commits what is still open; do so soon, before transactions expire.`;
  }
}

/** Names of tables in a sentence: the first five, and how many more. */
export function tablesText(tables: readonly string[]): string {
  const shown = tables.slice(0, 5).map((table) => oneLine(table, 80));
  const left = tables.length - shown.length;
  return left > 0 ? `${shown.join(", ")} and ${left} more` : shown.join(", ");
}

/** What stands between a job and its Paimon tables when it is restored: which moved on, and the two failures that are expected. */
function paimonRestoreText({ moved, unproven, ready }: Extract<Warning, { warning: "paimon-restore" }>): string {
  const sentences: string[] = [];
  if (moved.length > 0) sentences.push(`Its Paimon ${moved.length === 1 ? "table" : "tables"} ${tablesText(moved)} went on since this savepoint. Restored as ${moved.length === 1 ? "it is" : "they are"}, the job writes the same data again, mostly without an error: roll ${moved.length === 1 ? "it" : "them"} back to the tag of this savepoint first (Roll Back and Restore on the savepoint).`);
  if (unproven.length > 0) sentences.push(`What of its Paimon ${unproven.length === 1 ? "table" : "tables"} ${tablesText(unproven)} belongs to this savepoint is not proven; Show Pairs has the evidence.`);
  if (ready.length > 0 && moved.length === 0 && unproven.length === 0) sentences.push(`Its Paimon ${ready.length === 1 ? "table" : "tables"} ${tablesText(ready)} ${ready.length === 1 ? "is" : "are"} as the savepoint left ${ready.length === 1 ? "it" : "them"}.`);
  sentences.push("A conflict that Paimon reports at the start does not damage the tables. One failure right after the restore, “intentionally thrown after committing the restored checkpoints”, belongs to it; the job needs a restart strategy for that.");
  return sentences.join(" ");
}

function jobText(job: { readonly jobId: string; readonly name: string }): string {
  return `${job.name} (${shortId(job.jobId)})`;
}

function locationText(location: string, fault: LocationFault): string {
  switch (fault) {
    case "empty": return "The path is empty. Flink would take it for “no state” or for its own working directory, so it is not sent.";
    case "relative": return `“${location}” is not an absolute path or URI. Flink would look below the JobManager's working directory. Begin with / or a scheme such as s3://.`;
    case "unreadable": return `“${location.replaceAll(/[\u0000-\u001f\u007f]/g, "�")}” contains control characters.`;
  }
}

/** The last line a program wrote, as the end of a sentence. */
function lastLine(lines: string): string {
  const last = lines.trimEnd().split("\n").at(-1)?.trim() ?? "";
  return last === "" ? "." : `: ${last}${end(last)}`;
}

/** Flink's words within a sentence of ours: cut where they would fill the screen (the log has them whole), and ended with a stop. */
function quoted(text: string): string {
  const short = text.length > 300 ? `${text.slice(0, 299).trimEnd()}…` : text;
  return `${short}${end(short)}`;
}

function end(text: string): string {
  return /[.!?…]$/.test(text) ? "" : ".";
}

function statementDoubt(gateway: string, reason: Extract<Refusal, { rule: "statement-unknown" }>["reason"]): string {
  if (reason === "session-gone") return `the SQL Gateway ${gateway} no longer knows its session. Either the gateway was restarted, and the statement ended with it; or the session was closed, or another gateway answers at this address, and the statement may still run`;
  if (reason === "handle-lost") return `the connection to the SQL Gateway ${gateway} broke off before the gateway told the statement's handle, and without that it can't be asked`;
  return `the SQL Gateway ${gateway} does not say (${reason.message.replace(/\.$/, "")})`;
}
