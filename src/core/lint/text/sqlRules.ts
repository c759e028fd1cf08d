import type { TextReport } from "./report";
import { optionsIn, statementsIn, type SqlStatement } from "./sqlStatements";

interface Table {
  readonly options: ReadonlyMap<string, string>;
  readonly start: number;
  readonly end: number;
}

const name = /((?:[\w$]+|`[^`]+`)(?:\s*\.\s*(?:[\w$]+|`[^`]+`))*)/.source;
const createTable = new RegExp(`^\\s*CREATE\\s+(?:TEMPORARY\\s+)?TABLE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${name}`, "i");
const createCatalog = new RegExp(`^\\s*CREATE\\s+CATALOG\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${name}`, "i");
const useCatalog = new RegExp(`^\\s*USE\\s+CATALOG\\s+${name}`, "i");
const insert = new RegExp(`(?:^\\s*(?:EXECUTE\\s+)?|\\bBEGIN\\s+(?:STATEMENT\\s+SET\\s+)?)INSERT\\s+(?:INTO|OVERWRITE)\\s+${name}\\s*(/\\*\\+[\\s\\S]*?\\*/)?`, "i");
const setting = /^\s*SET\s+'?([\w.-]+)'?\s*=\s*'?([^']*?)'?\s*$/i;
const autoTag = "sink.savepoint.auto-tag";
const uidSuffix = "sink.operator-uid.suffix";

/** What is said of the SQL in a file, in the order it runs: Paimon tables that are written (P-7, P-19), and settings. */
export function sqlReports(text: string): readonly TextReport[] {
  const reports: TextReport[] = [];
  const tables = new Map<string, Table>();
  const catalogs = new Map<string, ReadonlyMap<string, string>>();
  const settings = new Map<string, string>();
  const others = new Set<string>();
  let catalog: string | undefined;
  let written = 0;
  for (const statement of statementsIn(text)) {
    const set = setting.exec(statement.text);
    if (set !== null) {
      const [, key = "", value = ""] = set;
      settings.set(key.toLowerCase(), value);
      if (key.toLowerCase() === "table.exec.uid.generation" && value.toUpperCase() === "ALWAYS") reports.push(always(statement, key));
      continue;
    }
    const madeCatalog = createCatalog.exec(statement.text);
    if (madeCatalog !== null) {
      const options = optionsIn(statement.text);
      if (options.get("type")?.toLowerCase() === "paimon") catalogs.set(plain(madeCatalog[1] ?? ""), options);
      continue;
    }
    const used = useCatalog.exec(statement.text);
    if (used !== null) {
      catalog = plain(used[1] ?? "");
      continue;
    }
    const made = createTable.exec(statement.text);
    if (made !== null) {
      const options = optionsIn(statement.text);
      const connector = options.get("connector")?.toLowerCase();
      const at = placeOf(statement, made[1] ?? "", made[0].length);
      const inPaimon = connector === "paimon" || (connector === undefined && catalogOf(made[1] ?? "", catalog, catalogs) !== undefined && !/^\s*CREATE\s+TEMPORARY/i.test(statement.text));
      const table = lastOf(made[1] ?? "");
      tables.delete(table);
      others.delete(table);
      if (inPaimon) tables.set(table, { options, ...at });
      else others.add(table);
      continue;
    }
    const into = insert.exec(statement.text);
    if (into === null) continue;
    const [whole, target = "", hint = ""] = into;
    const ofCatalog = catalogOf(target, catalog, catalogs);
    const table = tables.get(lastOf(target));
    if (table === undefined && (ofCatalog === undefined || others.has(lastOf(target)))) continue;
    written++;
    const at = placeOf(statement, target, into.index + whole.length);
    const has = (key: string): boolean => optionsIn(hint).has(key) || table?.options.has(key) === true || ofCatalog?.has(`table-default.${key}`) === true || [...settings.keys()].some((one) => one.startsWith("paimon.") && one.endsWith(key));
    reports.push(...missing(at, has, settings));
  }
  if (written === 0) for (const table of tables.values()) if (!/\bINSERT\s+(?:INTO|OVERWRITE)\b|\bSELECT\b/i.test(text)) reports.push(...missing(table, (key) => table.options.has(key), settings));
  return reports;
}

function missing(at: { readonly start: number; readonly end: number }, has: (key: string) => boolean, settings: ReadonlyMap<string, string>): TextReport[] {
  if (settings.get("execution.runtime-mode")?.toLowerCase() === "batch") return [];
  const reports: TextReport[] = [];
  if (!has(autoTag)) reports.push({ rule: "paimon-savepoint-tag", start: at.start, end: at.end, message: `The snapshot a savepoint points to can expire, since no tag keeps it: set '${autoTag}' = 'true' on this Paimon table.` });
  if (!has(uidSuffix)) reports.push({ rule: "paimon-operator-uid-suffix", start: at.start, end: at.end, message: `Paimon's writer and committer get automatic ids: their state is lost when the job changes. Set '${uidSuffix}' on this table, a different one for each job that writes it.` });
  return reports;
}

function always(statement: SqlStatement, key: string): TextReport {
  const at = placeOf(statement, key, statement.text.length);
  return { rule: "uid-generation-always", ...at, message: "ALWAYS gives uids to SQL that has no compiled plan, and they change with the query. Use PLAN_ONLY with a compiled plan." };
}

/** Options of the Paimon catalog a table is in; undefined when it is in none that is known. */
function catalogOf(target: string, current: string | undefined, catalogs: ReadonlyMap<string, ReadonlyMap<string, string>>): ReadonlyMap<string, string> | undefined {
  const parts = target.split(".").map(plain);
  return parts.length >= 3 ? catalogs.get(parts[0] ?? "") : current === undefined ? undefined : catalogs.get(current);
}

function placeOf(statement: SqlStatement, word: string, before: number): { readonly start: number; readonly end: number } {
  const at = statement.start + Math.max(0, statement.text.slice(0, before).lastIndexOf(word));
  return { start: at, end: at + word.length };
}

function plain(word: string): string {
  return word.trim().replace(/^`|`$/g, "");
}

function lastOf(target: string): string {
  return plain(target.slice(target.lastIndexOf(".") + 1));
}
