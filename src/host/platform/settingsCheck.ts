import type * as z from "zod";
import type { Explanation } from "../../core/explain";
import { normaliseClusterUrl, type ClusterProfile } from "../../core/model/cluster";
import { defaultCatalog, secretKey, secretReference, warehouseKey, type WarehouseProfile } from "../../core/model/warehouse";
import { isOpenSecret, openSecretsOf } from "../../core/paimon/actions";
import { oneLine } from "../../core/rowText";
import { clusterEntrySchema, settingsSchema, warehouseEntrySchema, type SettingKey, type Settings } from "../../core/settings";
import { issueText } from "../../core/zodIssue";

/** One thing that is wrong in the settings, in words. */
export interface SettingProblem {
  /** The full key, and for an entry of a list its name or place: `flinkSavepoints.clusters, “staging”`. */
  readonly setting: string;
  /** Without a full stop. */
  readonly problem: string;
}

/** A list of entries as one level of the settings writes it; `entries` is whatever stands there. */
export interface ScopedEntries {
  /** `user`, `workspace`, or a folder's name. */
  readonly level: string;
  readonly entries: unknown;
}

/** A setting's value, or its default and what is wrong with it. */
export function validateSetting<K extends SettingKey>(key: K, raw: unknown): { readonly value: Settings[K]; readonly problem: string | null } {
  const schema = settingsSchema[key];
  const checked = schema.safeParse(raw);
  if (checked.success) return { value: checked.data as Settings[K], problem: null };
  return { value: schema.parse(undefined) as Settings[K], problem: firstIssue(checked.error.issues) };
}

/** The clusters that can be used, and what is wrong with the others. A level nearer to the work names a cluster that an outer one has too. */
export function readClusters(setting: string, scopes: readonly ScopedEntries[]): Entries<ClusterProfile> {
  return readEntries(setting, scopes, { schema: clusterEntrySchema, keyOf: ({ url }) => url, sameAs: "address", profileOf: ({ name, url, caFile }) => ({ name, url: normaliseClusterUrl(url) ?? url, ...(caFile === undefined ? {} : { caFile }) }) });
}

/** The warehouses that can be used, and what is wrong with the others; as clusters are. */
export function readWarehouses(setting: string, scopes: readonly ScopedEntries[]): Entries<WarehouseProfile> {
  return readEntries(setting, scopes, {
    schema: warehouseEntrySchema, keyOf: ({ path }) => path, sameAs: "path",
    profileOf: ({ name, path, sqlGateway, caFile, catalog, catalogOptions, jars }) => {
      const gateway = sqlGateway === undefined ? undefined : normaliseClusterUrl(sqlGateway);
      const key = warehouseKey(path) ?? path;
      return { name: name ?? key, path: key, catalog: catalog ?? defaultCatalog, catalogOptions: catalogOptions ?? {}, jars: jars ?? [], ...(gateway === undefined ? {} : { sqlGateway: gateway }), ...(caFile === undefined ? {} : { caFile }) };
    },
  });
}

/** Where SecretStorage keeps the secrets of a warehouse, with the option that each is of. Each level is read alone: its entry's other options are in its keys. */
export function secretKeysOf(path: string, scopes: readonly ScopedEntries[]): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const scope of scopes) {
    for (const profile of readWarehouses("", [scope]).profiles.filter((each) => each.path === path)) {
      for (const [option, value] of Object.entries(profile.catalogOptions)) if (value === secretReference) keys.set(secretKey(profile, option, isOpenSecret), option);
    }
  }
  return keys;
}

/** Profiles that can be used, each key once, and what is wrong with other entries. */
export interface Entries<P> {
  readonly profiles: readonly P[];
  readonly problems: readonly SettingProblem[];
}

function readEntries<E, P extends { readonly name: string }>(setting: string, scopes: readonly ScopedEntries[], kind: { readonly schema: z.ZodType<E>; profileOf(entry: E): P; keyOf(profile: P): string; readonly sameAs: string }): Entries<P> {
  const profiles = new Map<string, P>();
  const problems: SettingProblem[] = [];
  for (const { level, entries } of scopes) {
    if (entries === undefined) continue;
    const where = level === "user" ? setting : `${setting} (${level})`;
    if (!Array.isArray(entries)) {
      problems.push({ setting: where, problem: "is no list" });
      continue;
    }
    const here = new Map<string, string>();
    for (const [index, entry] of (entries as unknown[]).entries()) {
      const named = `${where}, ${entryName(entry) ?? `entry ${index + 1}`}`;
      const checked = kind.schema.safeParse(entry);
      if (!checked.success) {
        problems.push({ setting: named, problem: firstIssue(checked.error.issues) });
        continue;
      }
      const profile = kind.profileOf(checked.data);
      const key = kind.keyOf(profile);
      const twin = here.get(key);
      if (twin !== undefined) {
        problems.push({ setting: named, problem: `has the same ${kind.sameAs} as “${twin}” and is not shown` });
        continue;
      }
      here.set(key, profile.name);
      profiles.set(key, profile);
    }
  }
  return { profiles: [...profiles.values()], problems };
}

/** All problems in one message, the first few in full. */
export function problemsText(problems: readonly SettingProblem[]): string {
  const shown = problems.slice(0, 5).map(({ setting, problem }) => `${setting}: ${problem}.`);
  const more = problems.length - shown.length;
  return [...shown, ...(more > 0 ? [`And ${more} more.`] : [])].join(" ");
}

/** What is told of the secrets that stand in the settings, once for each warehouse that has some. */
export function openSecretsRemarks(warehouses: readonly WarehouseProfile[]): readonly { readonly warehouse: string; readonly cause: string; readonly explanation: Explanation }[] {
  return warehouses.flatMap((profile) => {
    const open = openSecretsOf(profile).map(([option]) => oneLine(option, 80));
    const names = open.length < 2 ? open.join("") : `${open.slice(0, -1).join(", ")} and ${open.at(-1) ?? ""}`;
    const message = `The settings hold ${names} of the warehouse ${oneLine(profile.name, 80)} in plain text. Settings are synchronised and committed; keys and passwords belong in the secret storage.`;
    return open.length === 0 ? [] : [{ warehouse: profile.path, cause: `secrets in the settings: ${profile.path}: ${names}`, explanation: { message, action: { title: "Move to Secret Storage…", command: "flinkSavepoints.storeWarehouseSecrets" } } }];
  });
}

function entryName(entry: unknown): string | undefined {
  return typeof entry === "object" && entry !== null && "name" in entry && typeof entry.name === "string" && entry.name.trim() !== "" ? `“${entry.name.trim().slice(0, 80)}”` : undefined;
}

/** The first issue: the field, when it is within an entry, and what it must be. */
function firstIssue(issues: readonly z.core.$ZodIssue[]): string {
  const issue = issues[0];
  if (issue === undefined) return "is not valid";
  const field = issue.path.map(String).join(".");
  return field === "" ? issueText(issue) : `${field}: ${issueText(issue)}`;
}
