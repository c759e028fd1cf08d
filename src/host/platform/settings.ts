import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { Emitter } from "../../core/base/event";
import { FlinkError } from "../../core/errors";
import { normaliseClusterUrl, type ClusterProfile } from "../../core/model/cluster";
import { secretReference, warehouseKey, type WarehouseProfile } from "../../core/model/warehouse";
import { settingsSchema, type ClusterEntry, type SettingKey, type Settings, type WarehouseEntry } from "../../core/settings";
import { readClusters, readWarehouses, secretKeysOf, validateSetting, type ScopedEntries, type SettingProblem } from "./settingsCheck";

const section = "flinkSavepoints";

/** The only reader and writer of settings: every key is checked alone, a wrong one has its default, and the rest work. */
export class SettingsReader implements Disposable {
  readonly #changed = new Emitter<undefined>();
  readonly #held = new DisposableStore();
  #current: Settings;
  #clusters: readonly ClusterProfile[] = [];
  #warehouses: readonly WarehouseProfile[] = [];
  #problems: readonly SettingProblem[] = [];

  /** Fires after any of our settings changed, or the workspace became trusted. */
  readonly onDidChange = this.#changed.event;

  constructor() {
    this.#current = this.#read();
    this.#held.add(vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration(section) && this.#reread()));
    this.#held.add(vscode.workspace.onDidGrantWorkspaceTrust(() => this.#reread()));
    this.#held.add(vscode.workspace.onDidChangeWorkspaceFolders(() => this.#reread()));
    this.#held.add(this.#changed);
  }

  /** Valid values of all settings. */
  get current(): Settings {
    return this.#current;
  }

  /** The clusters of the user's, the workspace's and the folders' settings, each address once; the nearest level names it. */
  get clusters(): readonly ClusterProfile[] {
    return this.#clusters;
  }

  /** The warehouses of all levels, joined as clusters are. */
  get warehouses(): readonly WarehouseProfile[] {
    return this.#warehouses;
  }

  /** VS Code's own choice that rows open on a double click only. */
  get listOpensOnDoubleClick(): boolean {
    return vscode.workspace.getConfiguration("workbench.list").get("openMode") === "doubleClick";
  }

  /** What is wrong with the settings as they are. */
  get problems(): readonly SettingProblem[] {
    return this.#problems;
  }

  /** Writes `${secret}` in place of these values of a warehouse's options, at every level that has them. Another value of the same option, which is kept nowhere else, stays. */
  async referToSecrets(path: string, values: ReadonlyMap<string, string>): Promise<void> {
    for (const { entries, target, resource } of this.#scopes("warehouses")) {
      if (!Array.isArray(entries)) continue;
      const changed = (entries as unknown[]).map((entry) => (pathOf(entry) === path ? withReferences(entry as WarehouseEntry, values) : entry));
      if (changed.some((entry, at) => entry !== (entries as unknown[])[at])) await vscode.workspace.getConfiguration(section, resource).update("warehouses", changed, target);
    }
  }

  /** Where SecretStorage keeps the secrets of a warehouse, by what any level says of it now; with the option that each is of. */
  secretKeysOf(path: string): ReadonlyMap<string, string> {
    return secretKeysOf(path, this.#scopes("warehouses"));
  }

  /** Where a cluster, or a warehouse, is defined: `user`, `workspace`, both, or nowhere. */
  levelsOf(list: EntryList, key: string): readonly ("user" | "workspace")[] {
    const found = this.#scopes(list).filter(({ entries }) => Array.isArray(entries) && (entries as unknown[]).some((entry) => keyOf[list](entry) === key));
    return [...new Set(found.map(({ level }) => (level === "user" ? "user" : "workspace")))];
  }

  /** Adds a cluster to the user's settings; entries that are wrong are left as they are. Throws `setting-invalid`. */
  addCluster(entry: ClusterEntry): Promise<void> {
    return this.#add("clusters", entry);
  }

  /** Adds a warehouse likewise. */
  addWarehouse(entry: WarehouseEntry): Promise<void> {
    return this.#add("warehouses", entry);
  }

  /** Removes a cluster, or a warehouse, from every level that defines it. */
  async remove(list: EntryList, key: string): Promise<void> {
    for (const { entries, target, resource } of this.#scopes(list)) {
      if (!Array.isArray(entries)) continue;
      const kept = (entries as unknown[]).filter((entry) => keyOf[list](entry) !== key);
      if (kept.length === entries.length) continue;
      await vscode.workspace.getConfiguration(section, resource).update(list, kept.length === 0 ? undefined : kept, target);
    }
  }

  dispose(): void {
    this.#held.dispose();
  }

  async #add(list: EntryList, entry: object): Promise<void> {
    const configuration = vscode.workspace.getConfiguration(section);
    const before = configuration.inspect<unknown>(list)?.globalValue ?? [];
    if (!Array.isArray(before)) throw new FlinkError("setting-invalid", { setting: `${section}.${list}`, problem: "is no list in the user settings" });
    await configuration.update(list, [...(before as unknown[]), entry], vscode.ConfigurationTarget.Global);
  }

  #reread(): void {
    this.#current = this.#read();
    this.#changed.fire(undefined);
  }

  #read(): Settings {
    const configuration = vscode.workspace.getConfiguration(section);
    const problems: SettingProblem[] = [];
    const value = <K extends SettingKey>(key: K): Settings[K] => {
      const checked = validateSetting(key, configuration.get<unknown>(key));
      if (checked.problem !== null) problems.push({ setting: `${section}.${key}`, problem: checked.problem });
      return checked.value;
    };
    const keys = Object.keys(settingsSchema).filter((key) => key !== "clusters" && key !== "warehouses") as Exclude<SettingKey, EntryList>[];
    const values = Object.fromEntries(keys.map((key) => [key, value(key)])) as Omit<Settings, EntryList>;
    const clusters = readClusters(`${section}.clusters`, this.#scopes("clusters"));
    const warehouses = readWarehouses(`${section}.warehouses`, this.#scopes("warehouses"));
    this.#clusters = clusters.profiles;
    this.#warehouses = warehouses.profiles;
    this.#problems = [...problems, ...clusters.problems, ...warehouses.problems];
    return { ...values, clusters: [...clusters.profiles], warehouses: [...warehouses.profiles] };
  }

  /**
   * The list as each level writes it. The levels are joined instead of the nearest one hiding the others, so that a workspace adds clusters
   * and takes none away. VS Code drops restricted settings of an untrusted workspace; we do not rely on that alone.
   */
  #scopes(list: EntryList): readonly (ScopedEntries & { readonly target: vscode.ConfigurationTarget; readonly resource?: vscode.Uri })[] {
    const found = vscode.workspace.getConfiguration(section).inspect<unknown>(list);
    const user = { level: "user" as const, entries: found?.globalValue, target: vscode.ConfigurationTarget.Global };
    if (!vscode.workspace.isTrusted) return [user];
    const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => ({
      level: folder.name, entries: vscode.workspace.getConfiguration(section, folder.uri).inspect<unknown>(list)?.workspaceFolderValue,
      target: vscode.ConfigurationTarget.WorkspaceFolder, resource: folder.uri,
    }));
    return [user, { level: "workspace" as const, entries: found?.workspaceValue, target: vscode.ConfigurationTarget.Workspace }, ...folders];
  }
}

/** Settings that are lists of entries, joined over the levels. */
type EntryList = "clusters" | "warehouses";

const keyOf: Readonly<Record<EntryList, (entry: unknown) => string | undefined>> = { clusters: addressOf, warehouses: pathOf };

function withReferences(entry: WarehouseEntry, values: ReadonlyMap<string, string>): WarehouseEntry {
  const options = Object.entries(entry.catalogOptions ?? {});
  if (!options.some(([key, value]) => values.get(key) === value)) return entry;
  return { ...entry, catalogOptions: Object.fromEntries(options.map(([key, value]) => [key, values.get(key) === value ? secretReference : value])) };
}

function pathOf(entry: unknown): string | undefined {
  return typeof entry === "object" && entry !== null && "path" in entry && typeof entry.path === "string" ? warehouseKey(entry.path) : undefined;
}

function addressOf(entry: unknown): string | undefined {
  return typeof entry === "object" && entry !== null && "url" in entry && typeof entry.url === "string" ? normaliseClusterUrl(entry.url) : undefined;
}
