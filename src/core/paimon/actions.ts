import { secretReference, type WarehouseProfile } from "../model/warehouse";
import { capabilitiesOf, type FlinkVersion } from "../model/version";
import type { ProcessIdentity, Run } from "../ports";

/** A table of a catalog, or a branch of one (`t$branch_b`). */
export interface TableAddress {
  readonly database: string;
  readonly table: string;
}

/**
 * What may be done to a table: the verbs that Paimon's procedures (`CALL sys.…`) and its action command have alike. Rolling back to a tag deletes
 * every later snapshot and tag (P-15; `RollbackHelper`). There is no `rollback_to_as_latest`, after which a restore loses commits without a word (P-16).
 */
export type PaimonAction =
  /** `retainedMs` null: kept for ever, whatever `tag.default-time-retained` says. */
  | { readonly kind: "create-tag"; readonly tag: string; readonly snapshotId: number; readonly retainedMs: number | null }
  /** The same for a tag whose file is there and holds nothing, as a full disk leaves it: Paimon can neither delete it nor roll the table back beside it. */
  | { readonly kind: "replace-tag"; readonly tag: string; readonly snapshotId: number }
  | { readonly kind: "delete-tag"; readonly tag: string }
  | { readonly kind: "rename-tag"; readonly tag: string; readonly newName: string }
  | { readonly kind: "roll-back"; readonly tag: string }
  /** A branch that keeps a tag with its snapshot and files, also when the table is rolled back behind it: the safety copy. */
  | { readonly kind: "create-branch"; readonly branch: string; readonly tag: string }
  /** Also of one that was made by half. Data files stay. */
  | { readonly kind: "delete-branch"; readonly branch: string };

/** Acts on the tables of one warehouse: through Paimon's action command in a JVM of its own, or through a SQL Gateway. */
export interface PaimonActions {
  /** `command` needs Java and jars on this machine and no cluster; `gateway` a SQL Gateway that answers. */
  readonly way: "command" | "gateway";
  /**
   * Resolves when Paimon says that it is done; whether it is, the table tells. Throws `paimon-action-failed` with Paimon's reason (nothing or a part
   * may have been done), `paimon-action-lost` when it broke off without an answer, `paimon-jars-missing`, `local-flink-java-missing`, and the
   * connection's errors of a gateway. An action that was sent is not taken back by the signal.
   * A process of its own outlives us: `started` is told of it, and it does nothing before that resolves (on Windows it may have begun). So does a statement that
   * a SQL Gateway has: it is told as pid 0 of a host that is the gateway's address, before it is sent and again once the gateway has given it a handle.
   */
  act(table: TableAddress, action: PaimonAction, run: Run, started?: (process: ProcessIdentity, statement?: SentStatement) => Promise<void>): Promise<void>;
}

/** A statement at a SQL Gateway, by its handles. `operation` is null until the gateway has answered with it. */
export interface SentStatement {
  readonly session: string;
  readonly operation: string | null;
}

/**
 * How a statement stands that a SQL Gateway was sent. `ended` with the gateway's word for it; `unknown` with a reason: the gateway does not know its
 * session (it was restarted, or closed the session), it never told the operation's handle, or why it can't be asked.
 */
export type StatementStanding =
  | { readonly state: "running" }
  | { readonly state: "ended"; readonly how: string }
  | { readonly state: "unknown"; readonly reason: "session-gone" | "handle-lost" | { readonly message: string } };

/** What a table is called in statements and rows. */
export function tableName({ database, table }: TableAddress): string {
  return `${database}.${table}`;
}

/** The address in a name such as `sales.orders`: a database has no dot in its name, a table may. */
export function tableAddress(name: string): TableAddress {
  const dot = name.indexOf(".");
  return { database: name.slice(0, dot), table: name.slice(dot + 1) };
}

/** Why a text can't be the name of a tag or branch, as the end of a sentence about it; undefined when it can. */
export function nameFault(name: string): string | undefined {
  if (name.trim() === "") return "is empty";
  if (name !== name.trim() || /\s/.test(name)) return "has a blank in it";
  // A slash makes a folder that Paimon does not list, a comma separates names in delete_tag, digits alone are taken for a snapshot's number.
  if (/[/\\]/.test(name)) return "has a slash in it, and Paimon would not list it";
  if (name.includes(",")) return "has a comma in it, which Paimon takes for a list";
  if (/^\d+$/.test(name)) return "is a number, which Paimon takes for a snapshot's";
  if (/["'`$:*?<>|]|[\u0000-\u001f\u007f]/.test(name) || name.startsWith("-") || name.startsWith(".")) return "has a character that not every storage or command takes";
  return name.length > 200 ? "is longer than 200 characters" : undefined;
}

/** How long a tag is kept, as Paimon reads it (`TimeUtils.parseDuration`): `7 d`, `90 min`. Milliseconds below a second are dropped. */
export function retentionText(retainedMs: number): string {
  const seconds = Math.max(1, Math.floor(retainedMs / 1_000));
  for (const [unit, size] of [["d", 86_400], ["h", 3_600], ["min", 60]] as const) if (seconds % size === 0) return `${seconds / size} ${unit}`;
  return `${seconds} s`;
}

/** The flags of Paimon's action command, after the class `org.apache.paimon.flink.action.FlinkActions`. */
export function actionArguments(warehouse: { readonly path: string; readonly catalogOptions: Readonly<Record<string, string>> }, table: TableAddress, action: PaimonAction): readonly string[] {
  const where = ["--warehouse", warehouse.path, "--database", table.database, "--table", table.table];
  const options = Object.entries(warehouse.catalogOptions).filter(([key]) => key !== "type" && key !== "warehouse").flatMap(([key, value]) => ["--catalog_conf", `${key}=${value}`]);
  const retained = action.kind === "create-tag" && action.retainedMs !== null ? ["--time_retained", retentionText(action.retainedMs)] : [];
  switch (action.kind) {
    case "create-tag": return ["create_tag", ...where, "--tag_name", action.tag, "--snapshot", String(action.snapshotId), ...retained, ...options];
    case "replace-tag": return ["replace_tag", ...where, "--tag_name", action.tag, "--snapshot", String(action.snapshotId), ...options];
    case "delete-tag": return ["delete_tag", ...where, "--tag_name", action.tag, ...options];
    case "rename-tag": return ["rename_tag", ...where, "--tag_name", action.tag, "--target_tag_name", action.newName, ...options];
    case "roll-back": return ["rollback_to", ...where, "--version", action.tag, ...options];
    case "create-branch": return ["create_branch", ...where, "--branch_name", action.branch, "--tag_name", action.tag, ...options];
    case "delete-branch": return ["delete_branch", ...where, "--branch_name", action.branch, ...options];
  }
}

/** The oldest Flink with `CALL` in its SQL (FLIP-311). */
export const oldestCall = "1.18";

/** The statement that does it in Flink SQL: named arguments from Flink 1.19 on, positional ones in 1.18, undefined before, which has no `CALL` (P-25). */
export function callStatement(catalog: string, table: TableAddress, action: PaimonAction, flink: FlinkVersion): string | undefined {
  const { callArguments } = capabilitiesOf(flink);
  if (callArguments === "none") return undefined;
  const named = callArguments === "names";
  const call = (procedure: string, args: readonly (readonly [name: string, value: string])[]): string =>
    `CALL ${quotedName(catalog)}.sys.${procedure}(${[["`table`", literal(tableName(table))] as const, ...args].map(([name, value]) => (named ? `${name} => ${value}` : value)).join(", ")})`;
  switch (action.kind) {
    case "create-tag": case "replace-tag": {
      const retained = action.kind === "replace-tag" || action.retainedMs === null ? [] : [["time_retained", literal(retentionText(action.retainedMs))] as const];
      return call(action.kind.replace("-", "_"), [["tag", literal(action.tag)], ["snapshot_id", named ? `CAST(${action.snapshotId} AS BIGINT)` : String(action.snapshotId)], ...retained]);
    }
    case "delete-tag": return call("delete_tag", [["tag", literal(action.tag)]]);
    case "rename-tag": return call("rename_tag", [["tagName", literal(action.tag)], ["targetTagName", literal(action.newName)]]);
    case "roll-back": return call("rollback_to", [["tag", literal(action.tag)]]);
    // Paimon has it twice, and Flink knows the arguments of such a procedure by their place only.
    case "create-branch": return `CALL ${quotedName(catalog)}.sys.create_branch(${[tableName(table), action.branch, action.tag].map(literal).join(", ")})`;
    case "delete-branch": return `CALL ${quotedName(catalog)}.sys.delete_branch(${[tableName(table), action.branch].map(literal).join(", ")})`;
  }
}

/** The statement of Flink SQL that reads a table as a tag keeps it. */
export function readTagStatement(catalog: string, { database, table }: TableAddress, tag: string): string {
  return `SELECT * FROM ${[catalog, database, table].map(quotedName).join(".")} /*+ OPTIONS('scan.tag-name' = ${literal(tag)}) */`;
}

/** The statement that has savepoints tagged from a job's next start on (P-7). */
export function autoTagStatement(catalog: string, { database, table }: TableAddress): string {
  return `ALTER TABLE ${[catalog, database, table].map(quotedName).join(".")} SET ('sink.savepoint.auto-tag' = 'true')`;
}

/** The statement that makes a warehouse's catalog known to a session: a session starts without any. */
export function createCatalogStatement(warehouse: { readonly path: string; readonly catalog: string; readonly catalogOptions: Readonly<Record<string, string>> }): string {
  const options = { type: "paimon", warehouse: warehouse.path, ...warehouse.catalogOptions };
  return `CREATE CATALOG ${quotedName(warehouse.catalog)} WITH (${Object.entries(options).map(([key, value]) => `${literal(key)} = ${literal(value)}`).join(", ")})`;
}

/** A catalog's options as they may be shown and copied: keys and passwords are stars, since a runbook goes into tickets. */
export function shownOptions(options: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, hideSecrets(isSecretOption(key) || value === secretReference ? stars : value, options)]));
}

/** A text without the secrets among a catalog's options, as a message or log of Paimon may repeat them. */
export function hideSecrets(text: string, options: Readonly<Record<string, string>>): string {
  const secrets = Object.entries(options).flatMap(([key, value]) => (value === secretReference ? [] : isSecretOption(key) ? [value] : [...value.matchAll(inAddress)].map(([, secret]) => secret ?? "")));
  return secrets.flatMap((secret) => (secret.trim() === "" ? [] : [secret, secret.replaceAll("'", "''")])).reduce((shown, secret) => shown.replaceAll(secret, stars), text);
}

/** A secret within a value, such as `jdbc:mysql://host/db?password=…`. */
const inAddress = /(?:passw\w*|secret|token|signature)=([^&;,\s'"]+)/gi;

/** Whether an option of a catalog holds a secret in the open. */
export function isOpenSecret(key: string, value: string): boolean {
  return value.trim() !== "" && value !== secretReference && (isSecretOption(key) || hideSecrets(value, { [key]: value }) !== value);
}

/** The options of a warehouse that hold a secret in the open, with their values. */
export function openSecretsOf({ catalogOptions }: Pick<WarehouseProfile, "catalogOptions">): readonly (readonly [option: string, value: string])[] {
  return Object.entries(catalogOptions).filter(([key, value]) => isOpenSecret(key, value));
}

/** As Flink hides them (`GlobalConfiguration.isSensitive`), and what file systems call their keys. */
function isSecretOption(key: string): boolean {
  // What names a class, a file or a time is none: token.provider, fs.s3a.aws.credentials.provider, dlf.token-path.
  if (/(?:provider|path|file|loader|class|type|mode|enabled?|url|uri|interval|expir\w*|ms)$/i.test(key)) return false;
  return /passw|secret|token|access[-_.]?key|api[-_.]?key|account\.key|service[-_.]?key|private[-_.]?key|credential|jaas|auth-params|basic-auth|http-headers/i.test(key);
}

/** Stands where a secret was. */
export const stars = "******";

/** What an action is to do, for progress and messages: `create the tag a of snapshot 5`. */
export function actionText(action: PaimonAction): string {
  switch (action.kind) {
    case "create-tag": return `create the tag ${action.tag} of snapshot ${action.snapshotId}`;
    case "replace-tag": return `make the tag ${action.tag} of snapshot ${action.snapshotId} anew`;
    case "delete-tag": return `delete the tag ${action.tag}`;
    case "rename-tag": return `rename the tag ${action.tag} to ${action.newName}`;
    case "roll-back": return `roll back to the tag ${action.tag}`;
    case "create-branch": return `create the branch ${action.branch} from the tag ${action.tag}`;
    case "delete-branch": return `delete the branch ${action.branch}, made by half`;
  }
}

/** A text in SQL. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** A name in SQL, whatever is in it. */
export const quotedName = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
