import * as vscode from "vscode";
import type { WarehouseRef } from "../../core/contributions";
import { FlinkError, isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import { normaliseClusterUrl } from "../../core/model/cluster";
import { localPath } from "../../core/model/location";
import { defaultCatalog, secretKey, secretReference, warehouseKey, type WarehouseProfile } from "../../core/model/warehouse";
import { isOpenSecret, openSecretsOf } from "../../core/paimon/actions";
import { oneLine } from "../../core/rowText";
import { countText } from "../../core/wording";
import { paimonId } from "../views/paimonSource";
import type { WarehouseEntry } from "../../core/settings";
import { askInSteps, type Steps } from "./steps";
import type { CommandWorld } from "./world";

/**
 * *Add Warehouse*: asks for its location, where that is not on this machine for the SQL Gateway and the catalog that reach it, whether they do, and for a name;
 * saves it to the user's settings.
 */
export async function addWarehouse(world: CommandWorld): Promise<void> {
  const entry = await askInSteps("Add Paimon warehouse", null, async (ask): Promise<WarehouseEntry | undefined> => {
    const location = await ask.enter({
      prompt: "Location of the warehouse, as the catalog's option “warehouse” has it", placeholder: "file:/data/warehouse",
      check: (text) => {
        if (text === "") return { severity: "error", text: "Nothing is entered yet." };
        const key = warehouseKey(text);
        if (key === undefined) return { severity: "error", text: "An absolute path, or a URI such as file:/data/warehouse." };
        const twin = world.settings.warehouses.find(({ path }) => path === key);
        if (twin !== undefined) return { severity: "error", text: `This is ${oneLine(twin.name, 60)}, which is there already.` };
        return localPath(key) === undefined ? { severity: "information", text: "Not on this machine's disks: it is listed through a Flink SQL Gateway, which is asked for next." } : undefined;
      },
      tool: {
        icon: "folder-opened", tooltip: "Choose a Folder…",
        press: async () => {
          const [folder] = (await vscode.window.showOpenDialog({ title: "Paimon Warehouse", openLabel: "Choose", canSelectFiles: false, canSelectFolders: true, canSelectMany: false })) ?? [];
          if (folder?.scheme === "file") await add(world, { path: folder.fsPath });
        },
      },
    });
    const path = warehouseKey(location) ?? location;
    const plain = { path, catalogOptions: {} };
    const isHere = await ask.wait("Looking for the folder", () => world.warehouses.reach({ ...plain, name: path, catalog: defaultCatalog, jars: [] }).then(() => true, () => false));
    const reached = isHere ? { path } : await askGateway(ask, world, path);
    if (reached === undefined) return undefined;
    const name = await ask.enter({ prompt: "Name in the tree; empty: its path", placeholder: path });
    return { ...reached, ...(name === "" ? {} : { name }) };
  });
  if (entry !== undefined) await add(world, entry);
}

/** Through which gateway and catalog a warehouse elsewhere is reached, and whether it is. */
async function askGateway(ask: Steps, world: CommandWorld, path: string): Promise<WarehouseEntry | undefined> {
  const address = await ask.enter({
    prompt: "Address of a Flink SQL Gateway that reaches it", placeholder: "http://sql-gateway:8083",
    check: (text) => (text === "" ? { severity: "error", text: "Nothing is entered yet." } : normaliseClusterUrl(text) === undefined ? { severity: "error", text: "An http:// or https:// address without user name and password." } : undefined),
  });
  const metastore = await ask.choose<"filesystem" | "jdbc" | "hive" | "rest">({
    placeholder: "Where does the catalog keep what it knows?",
    choices: [
      { label: "$(folder) In the warehouse's folders", description: "file-system catalog", value: "filesystem" },
      { label: "$(database) In a database", description: "JDBC catalog", value: "jdbc" },
      { label: "$(server) In a Hive metastore", value: "hive" },
      { label: "$(globe) At a REST catalog", value: "rest" },
    ],
  });
  const uri = metastore === "filesystem" ? undefined : await ask.enter({
    prompt: "Its address, as the catalog's option “uri” has it. Further options, such as a password, are added in the settings.", placeholder: { jdbc: "jdbc:postgresql://host/paimon", hive: "thrift://host:9083", rest: "https://host" }[metastore],
    check: (text) => (text === "" ? { severity: "error", text: "Nothing is entered yet." } : isOpenSecret("uri", text) ? { severity: "error", text: "There is a secret in it. Leave it out here: Store Warehouse Secrets keeps it." } : undefined),
  });
  const entry = { path, sqlGateway: normaliseClusterUrl(address) ?? address, ...(uri === undefined ? {} : { catalogOptions: { metastore, uri } }) };
  const tables = await world.paimonTables();
  const found = await ask.wait("Asking the SQL Gateway", async (signal): Promise<string | number> => {
    try {
      return (await tables.askedTables({ catalogOptions: {}, ...entry, name: path, catalog: defaultCatalog, jars: [] }).databases(signal)).items.length;
    } catch (error) {
      if (!isFlinkError(error)) throw error;
      return explain(error).message;
    }
  });
  if (typeof found === "number") return entry;
  const next = await ask.choose<"back" | "why" | "add">({
    placeholder: "It could not be listed.",
    choices: [
      { label: "$(arrow-left) Change what was entered", value: "back" },
      // An entry is one line, and the reason often longer.
      { label: "$(info) Say why", detail: oneLine(found, 300), value: "why" },
      { label: "$(add) Add it all the same", description: "its options can be completed in the settings", value: "add" },
    ],
  });
  if (next === "why") await ask.aside(() => world.notify.tell({ title: "It could not be listed.", detail: found }));
  return next === "add" ? entry : ask.back(next === "back" ? 2 : 1);
}

/** *Remove Warehouse*: takes it out of the settings, and what no entry of it uses any more out of the secret storage; nothing changes on the disk. */
export async function removeWarehouse(world: CommandWorld, target?: WarehouseRef): Promise<void> {
  const profile = await warehouseFor(world, target, "Which warehouse is removed?");
  if (profile === undefined) return;
  const levels = world.settings.levelsOf("warehouses", profile.path);
  const where = levels.length === 2 ? "your user settings and the workspace's" : levels[0] === "workspace" ? "the workspace's settings" : "your user settings";
  const stored: [key: string, option: string][] = [];
  for (const [key, option] of world.settings.secretKeysOf(profile.path)) if ((await world.vault.get(key)) !== undefined) stored.push([key, option]);
  const options = [...new Set(stored.map(([, option]) => option))];
  const detail = [
    `${profile.path} is taken out of ${where}. Its tables, tags and files stay as they are.`,
    ...(options.length === 0 ? [] : ["", `The secret storage of this machine forgets its ${countText(options.length, "secret")}:`, ...options.map((option) => `• ${oneLine(option, 80)}`), "Another workspace that names this warehouse asks for them again."]),
  ].join("\n");
  if (!(await world.notify.confirm({ title: `Remove ${oneLine(profile.name, 80)}?`, detail, button: "Remove" }))) return;
  await world.settings.remove("warehouses", profile.path);
  const used = world.settings.secretKeysOf(profile.path);
  for (const [key] of stored) if (!used.has(key)) await world.vault.delete(key);
}

/** *Edit Warehouses in Settings*: opens the list where it is written. */
export async function editWarehouses(): Promise<void> {
  await vscode.commands.executeCommand("workbench.action.openSettingsJson", { revealSetting: { key: "flinkSavepoints.warehouses", edit: true } });
}

/** *Store Warehouse Secrets*: moves keys and passwords out of the settings; else asks for those that the settings leave to the secret storage, first for what it lacks. */
export async function storeWarehouseSecrets(world: CommandWorld, target?: WarehouseRef): Promise<void> {
  const [only, ...others] = world.warehouses.list().filter((profile) => openSecretsOf(profile).length > 0 || referencesOf(profile).length > 0);
  const profile = target === undefined && only !== undefined && others.length === 0 ? only : await warehouseFor(world, target, "The secrets of which warehouse?");
  if (profile === undefined) return;
  const name = oneLine(profile.name, 80);
  const open = openSecretsOf(profile);
  if (open.length > 0) return moveSecrets(world, profile, open);
  const references = referencesOf(profile);
  if (references.length === 0) return world.notify.refused(`No option of ${name} is left to the secret storage. Write ${secretReference} as its value in catalogOptions.`, [{ title: "Edit Warehouses", command: "flinkSavepoints.editWarehouses" }]);
  const keyOf = (option: string): string => secretKey(profile, option, isOpenSecret);
  const kept = await Promise.all(references.map((option) => world.vault.get(keyOf(option))));
  const missing = references.filter((_, at) => kept[at] === undefined);
  const entered = await askInSteps(`Secrets of ${name}`, missing.length > 0 ? missing.length : references.length === 1 ? 1 : 2, async (ask) => {
    const asked = missing.length > 0 ? missing : references.length === 1 ? references : [await ask.choose({ placeholder: "All are stored. Which one is replaced?", choices: references.map((option) => ({ label: `$(key) ${oneLine(option, 80)}`, value: option })) })];
    const values: [option: string, value: string][] = [];
    for (const option of asked) {
      const prompt = missing.length > 0 ? `Value of ${oneLine(option, 80)}, for the secret storage` : `New value of ${oneLine(option, 80)}, in place of the one that is stored`;
      values.push([option, await ask.enter({ prompt, secret: true, check: (text) => (text === "" ? { severity: "error", text: "Nothing is entered yet." } : undefined) })]);
    }
    return values;
  });
  if (entered === undefined) return;
  for (const [option, value] of entered) await world.vault.set(keyOf(option), value);
  await (await world.paimonTables()).closeSessions("all");
  world.explorer.refresh();
  world.notify.done(`${entered.map(([option]) => oneLine(option, 80)).join(" and ")} of ${name} ${entered.length === 1 ? "is" : "are"} kept in the secret storage.`);
}

async function moveSecrets(world: CommandWorld, profile: WarehouseProfile, open: readonly (readonly [option: string, value: string])[]): Promise<void> {
  const what = `${countText(open.length, "secret")} of ${oneLine(profile.name, 80)}`;
  const it = open.length === 1 ? "it" : "them";
  const detail = [
    ...open.map(([option]) => `• ${oneLine(option, 80)}`), "",
    `The secret storage of this machine keeps ${it}, and the settings say ${secretReference} instead. Where else these settings are used, store ${it} there too.`,
    `Copies that were synchronised or committed before still hold ${it}: have ${open.length === 1 ? "a new one" : "new ones"} issued.`,
  ].join("\n");
  if (!(await world.notify.confirm({ title: `Move ${what} out of the settings?`, detail, button: "Move" }))) return;
  // What is kept is there before the settings lose it.
  for (const [option, value] of open) await world.vault.set(secretKey(profile, option, isOpenSecret), value);
  await world.settings.referToSecrets(profile.path, new Map(open));
  world.notify.done(`${what} moved to the secret storage.`);
}

/** The options whose values the settings leave to the secret storage. */
function referencesOf({ catalogOptions }: WarehouseProfile): readonly string[] {
  return Object.keys(catalogOptions).filter((option) => catalogOptions[option] === secretReference);
}

/** The warehouse a verb is about; asked for when it was not told. */
async function warehouseFor(world: CommandWorld, target: WarehouseRef | undefined, placeholder: string): Promise<WarehouseProfile | undefined> {
  const profiles = world.warehouses.list();
  if (target !== undefined) {
    const found = profiles.find(({ path }) => path === target.warehouse);
    if (found === undefined) throw new FlinkError("warehouse-unknown", { warehouse: target.warehouse });
    return found;
  }
  if (profiles.length === 0) {
    world.notify.refused("No Paimon warehouse is configured yet.", [{ title: "Add Warehouse…", command: "flinkSavepoints.addWarehouse" }]);
    return undefined;
  }
  return askInSteps(placeholder, 1, (ask) => ask.choose({ placeholder, choices: profiles.map((profile) => ({ label: oneLine(profile.name, 80), description: profile.path, value: profile })) }));
}

async function add(world: CommandWorld, entry: WarehouseEntry): Promise<void> {
  await world.settings.addWarehouse(entry);
  const key = warehouseKey(entry.path);
  if (key !== undefined) await world.explorer.reveal(paimonId.warehouse(key));
}
