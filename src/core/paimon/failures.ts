/**
 * Whether a failure is the one that Paimon's committer throws on purpose after it has committed what a restored savepoint held (P-20;
 * `RestoreAndFailCommittableStateManager`): once for each table, and then the job runs.
 */
export function isIntendedFailure(message: string): boolean {
  return /intentionally thrown after committing the restored checkpoints/.test(message);
}

/**
 * Why a SQL Gateway could not make a warehouse's catalog known to a session, in words that say who must change what; Paimon's own, `message`, where they do.
 * After what `CREATE CATALOG` of Paimon 0.8 to 1.4 says.
 */
export function catalogFault(message: string): string {
  const factory = /Could not find any factory for identifier '([^']*)' that implements '(\S+)'.*?(?:Available factory identifiers are: ?(.*?)\.?)?$/.exec(message);
  if (factory !== null) {
    const [, name = "", kind = "", known] = factory;
    if (/^org\.apache\.paimon\./.test(kind)) return `its Paimon knows no metastore ${name}${known === undefined ? "" : ` (it knows ${known.trim().split(/[\s,]+/).join(", ")})`}. Correct metastore in catalogOptions`;
    return name === "paimon" ? "it has no Paimon. Put the jar paimon-flink of the gateway's Flink version into its lib folder and restart it" : `it knows no catalog of the type ${name}. Correct type in catalogOptions`;
  }
  const scheme = /Could not find a file io implementation for scheme '([^']+)'/.exec(message)?.[1];
  if (scheme !== undefined) return `it can't read ${scheme}: addresses. Put Paimon's jar for that storage (paimon-${scheme}) into its lib folder and restart it`;
  if (/(?:ClassNotFoundException|NoClassDefFoundError).*hadoop[./]hive/.test(message)) return "it lacks the jars of Hive's metastore. Put flink-sql-connector-hive for that metastore into its lib folder and restart it";
  if (/(?:ClassNotFoundException|NoClassDefFoundError).*org[./]apache[./]hadoop/.test(message)) return "it lacks Hadoop's jars, which Paimon needs. Put them into its lib folder, or set HADOOP_CLASSPATH, and restart it";
  if (isMismatch(message)) return `its Paimon is not made for its Flink (${message.replace(/\.$/, "")}). Put the paimon-flink jar of the gateway's Flink version into its lib folder and restart it`;
  if (/^No suitable driver/.test(message)) return `${message.replace(/\.$/, "")}. Put the database's JDBC driver into the gateway's lib folder and restart it`;
  if (/^(?:The url cannot be null|uri is empty)/.test(message)) return "catalogOptions lacks uri, the address of its metastore";
  if (/Connection refused|UnknownHost|timed? ?out/i.test(message)) return `its metastore or storage does not answer (${message.replace(/\.$/, "")}). Check that it runs, and its address in path and catalogOptions`;
  return message;
}

/** A jar for another version: the JVM's own words for what is missing in it. */
function isMismatch(message: string): boolean {
  return /(?:ClassNotFoundException|NoClassDefFoundError|NoSuchMethodError|NoSuchFieldError|AbstractMethodError|IncompatibleClassChangeError)\b/.test(message);
}

/** What a SQL Gateway's refusal of a session or route comes from, as a sentence; undefined for one that says so itself. */
export function gatewayFault(url: string, message: string): string | undefined {
  const most = /count of active sessions exceeds the max count: (\d+)/.exec(message)?.[1];
  if (most !== undefined) return `All ${most} sessions of the SQL Gateway at ${url} are in use (sql-gateway.session.max-num). Close one that nobody needs, or raise that number; unused ones end by themselves. Nothing was done.`;
  if (/^(?:Not found: \/|Unable to load requested file )/.test(message)) return `${url} is Flink, and no SQL Gateway. A JobManager answers there; the gateway has an address of its own, by default with port 8083.`;
  return undefined;
}

/** Since when Paimon can do what not every release can (release tags 0.8 to 1.4): by its procedure, and by its action command. */
const younger: Readonly<Record<string, { readonly procedure: string; readonly command: string; readonly instead: string }>> = {
  rename_tag: { procedure: "1.0", command: "1.0", instead: "Create a tag of the same snapshot under the new name, then delete this one" },
  replace_tag: { procedure: "1.0", command: "1.0", instead: "Delete the tag that was left half made, then go on" },
  delete_branch: { procedure: "0.8", command: "0.9", instead: "Give the rollback up and begin anew without a safety copy, or use a newer Paimon" },
  create_branch: { procedure: "0.8", command: "0.9", instead: "Go on without a safety copy, or use a newer Paimon" },
};

/** Why Paimon did not act on a table, in words; its own, `message`, where they say it. `at`: through a SQL Gateway that looks for the warehouse at a path. */
export function actionFault(message: string, at?: { readonly gateway: string; readonly warehouse: string }): string {
  const unknown = /No match found for function signature (\w+)\(/.exec(message) ?? /^Unknown action "(\w+)"/.exec(message);
  if (unknown !== null) {
    const [, name = ""] = unknown;
    const known = younger[name];
    const where = at === undefined ? "the Paimon among the warehouse's jars" : `the Paimon of the SQL Gateway at ${at.gateway}`;
    return known === undefined ? `${where} has no ${name}` : `${where} has no ${name}, which came with ${at === undefined ? known.command : known.procedure}. ${known.instead}`;
  }
  if (isMismatch(message)) return `${at === undefined ? "the warehouse's jars do not fit one another" : `the Paimon of the SQL Gateway at ${at.gateway} is not made for its Flink`} (${message.replace(/\.$/, "")})`;
  const text = message.replaceAll("\\#", "#");
  if (at !== undefined && /^Table \S+ does not exist\.?$/.test(text)) return `${text.replace(/\.$/, "")} in ${at.warehouse}, as the SQL Gateway at ${at.gateway} sees it. It may be on another machine, where the path is another`;
  return text;
}

/** What a failure of a job that writes Paimon calls for (P-20, P-22); null when it is none of Paimon's. `text` is Flink's own, class and message. */
export function paimonAdvice(text: string): string | null {
  if (isIntendedFailure(text)) return "Paimon throws this once on purpose, after it committed what the savepoint held, and the job has no restart strategy to go on with. Nothing is damaged: start it once more from the same savepoint.";
  if (/Cannot recover from this checkpoint because some files in the snapshot that need to be resubmitted have been deleted/.test(text)) return "The savepoint holds files that were never committed, and an orphan cleaning has deleted them. Choose a savepoint with a proven tag in every table (Show Pairs).";
  if (/(?:File deletion|LSM) conflicts detected! Give up committing|Trying to delete file \S+ for table \S+ which is not previously added/.test(text)) return conflictAdvice(text);
  if (/The next expected snapshot is too big/.test(text)) return "The table was rolled back behind what this reader has read. Reset its consumer, or start it anew.";
  return null;
}

/** The message names both commit users: two that differ are two writers, the same one twice a job that went back while the table did not. */
function conflictAdvice(text: string): string {
  const base = /Base commit user is: (\S+?)[;,\s]/.exec(text)?.[1];
  const current = /Current commit user is: (\S+?)[;,.\s]/.exec(`${text} `)?.[1];
  if (base !== undefined && current !== undefined && base !== current) return "Two writers changed the same files: another job, or a compaction, writes this table. Stop one of them. The table is not damaged.";
  return "The job goes on from an older state than its table, or was started twice from one savepoint; Paimon stops it to protect the table, which is not damaged. Roll the table back to the tag of the savepoint (Roll Back…), or restore from the newest savepoint.";
}
