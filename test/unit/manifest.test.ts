import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import * as z from "zod";
import { contextKeys, inspectorViewType, viewContainer, views } from "../../src/core/contributions";
import { clusterEntrySchema, settingsSchema, warehouseEntrySchema } from "../../src/core/settings";

interface MenuEntry {
  readonly command?: string;
  readonly submenu?: string;
  readonly when?: string;
  readonly group?: string;
}
interface Property {
  readonly type: string;
  readonly default: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly order: number;
  readonly scope: string;
  readonly markdownDescription: string;
  readonly items?: { readonly required: readonly string[]; readonly additionalProperties: boolean; readonly properties: Record<string, { readonly type: string; readonly description: string; readonly pattern?: string }> };
}
interface Manifest {
  readonly icon: string;
  readonly main: string;
  readonly engines: { readonly vscode: string; readonly node: string };
  readonly activationEvents: readonly string[];
  readonly capabilities: { readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] } };
  readonly devDependencies: Record<string, string>;
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category: string; readonly icon?: string }[];
    readonly views: Record<string, readonly { readonly id: string; readonly icon: string; readonly name: string }[]>;
    readonly viewsContainers: { readonly activitybar: readonly { readonly id: string; readonly icon: string }[] };
    readonly viewsWelcome: readonly { readonly view: string; readonly when: string; readonly contents: string }[];
    readonly menus: Record<string, readonly MenuEntry[]>;
    readonly submenus: readonly { readonly id: string }[];
    readonly keybindings: readonly (Bound & { readonly key: string; readonly when: string })[];
    readonly configuration: { readonly properties: Record<string, Property> };
  };
}

interface Bound { readonly command: string; readonly args?: unknown }

const prefix = "flinkSavepoints.";
const root = process.cwd();
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
const manifest = JSON.parse(read("package.json")) as Manifest;
const { contributes } = manifest;
const commands = contributes.commands.map(({ command }) => command);
const properties = contributes.configuration.properties;

/** Types are gone when this runs, so the closed lists are read from their source. */
const contributionsText = read("src/core/contributions.ts");
const typedCommands = [.../interface CommandArgs \{([\s\S]*?)\n\}/.exec(contributionsText)?.[1]?.matchAll(/^ {2}"([^"]+)": \[(.*)\];$/gm) ?? []].map((match) => ({ id: match[1] ?? "", takesTarget: match[2] !== "" }));
const contextWords = new Set([...(/export type ContextWord =([\s\S]*?);/.exec(contributionsText)?.[1] ?? "").matchAll(/"(\w+)"/g)].map((match) => match[1]));
const tableCommands = [...read("src/host/commands/table.ts").matchAll(/^ {2}"([^"]+)":/gm)].map((match) => match[1] ?? "");
/** A binding may have VS Code run a command of its own before ours. */
const boundCommands = contributes.keybindings.flatMap(({ command, args }) => (command === "runCommands" ? (args as { commands: readonly (string | Bound)[] }).commands.filter((step) => typeof step !== "string") : [{ command, args }]));
const whens = [
  ...Object.values(contributes.menus).flat().flatMap((entry) => entry.when ?? []), ...contributes.keybindings.map(({ when }) => when), ...contributes.viewsWelcome.map(({ when }) => when),
];

test("package.json, the typed list and the table name the same commands", () => {
  assert.deepEqual([...commands].sort(), typedCommands.map(({ id }) => id).sort());
  assert.deepEqual([...tableCommands].sort(), [...commands].sort());
  assert.equal(new Set(commands).size, commands.length);
});

test("every command has a category and a title in title case, with an ellipsis where a question follows", () => {
  const wrong = contributes.commands.filter(({ command, title, category }) => !command.startsWith(prefix) || category !== "Flink Savepoints" || !/^[A-Z]/.test(title) || /[.!]$/.test(title) || title.includes("..."));
  assert.deepEqual(wrong, []);
});

test("every command is within reach: in the palette, or in a menu", () => {
  const hidden = new Set((contributes.menus["commandPalette"] ?? []).filter(({ when }) => when === "false").map(({ command }) => command));
  const inMenus = new Set(Object.entries(contributes.menus).filter(([menu]) => menu !== "commandPalette").flatMap(([, entries]) => entries.map(({ command }) => command)));
  // These are run by a click, a double click or Enter on a row, and by a quick fix.
  assert.deepEqual(commands.filter((command) => hidden.has(command) && !inMenus.has(command)), ["flinkSavepoints.showMore", "flinkSavepoints.keepState", "flinkSavepoints.openRow", "flinkSavepoints.clickRow"]);
});

test("menus, welcome texts and keybindings name only commands and submenus that exist", () => {
  const submenus = new Set(contributes.submenus.map(({ id }) => id));
  for (const entry of Object.values(contributes.menus).flat()) {
    if (entry.command !== undefined) assert.ok(commands.includes(entry.command), entry.command);
    else assert.ok(submenus.has(entry.submenu ?? "") && contributes.menus[entry.submenu ?? ""], entry.submenu);
  }
  for (const [menu, entries] of Object.entries(contributes.menus)) {
    const named = entries.flatMap(({ submenu }) => submenu ?? []);
    assert.equal(new Set(named).size, named.length, `${menu} may name a submenu once`);
  }
  for (const { command } of boundCommands) assert.ok(commands.includes(command), command);
  for (const { contents } of contributes.viewsWelcome) {
    for (const [, command] of contents.matchAll(/\(command:([^)]+)\)/g)) assert.ok(commands.includes(command ?? "") || command === "workbench.trust.manage", command);
  }
});

test("every menu entry of the tree names the view, and at most two buttons stand on a row of one kind", () => {
  const entries = [...(contributes.menus["view/title"] ?? []), ...(contributes.menus["view/item/context"] ?? [])];
  for (const { when, command, submenu } of entries) assert.match(when ?? "", /^view == flinkSavepoints\.explorer\b/, command ?? submenu);
  const buttons = new Map<string, number>();
  for (const { when, group } of contributes.menus["view/item/context"] ?? []) if (group?.startsWith("inline")) buttons.set(when ?? "", (buttons.get(when ?? "") ?? 0) + 1);
  for (const [when, count] of buttons) assert.ok(count <= 2, when);
});

test("what destroys stands last in its menu and never as a button", () => {
  for (const command of ["dispose", "forget", "cancel", "removeCluster", "dropRestore", "stopLocalFlink", "removeWarehouse", "deleteTag"].map((name) => prefix + name)) {
    const groups = (contributes.menus["view/item/context"] ?? []).filter((entry) => entry.command === command).map(({ group }) => group ?? "");
    assert.ok(groups.length > 0 && groups.every((group) => group.startsWith("9_danger")), `${command}: ${groups.join(" ")}`);
    assert.ok(!boundCommands.some((binding) => binding.command === command), command);
  }
});

test("context words and context keys in conditions exist, and every word is asked for in one", () => {
  assert.ok(contextWords.size > 10);
  assert.deepEqual([...contextWords].filter((word) => !whens.some((when) => when.includes(word ?? ""))), []);
  for (const when of whens) {
    for (const [, pattern] of when.matchAll(/viewItem =~ \/([^/]+)\//g)) for (const word of (pattern ?? "").replaceAll("\\b", "").match(/\w+/g) ?? []) assert.ok(contextWords.has(word), `${word} in ${when}`);
    for (const [key] of when.matchAll(/flinkSavepoints\.\w+/g)) assert.ok([...Object.values(contextKeys), ...Object.values(views), inspectorViewType].includes(key as never), `${key} in ${when}`);
  }
});

test("keybindings work only in the explorer and not where a person types", () => {
  for (const { key, when } of contributes.keybindings) assert.match(when, /^focusedView == flinkSavepoints\.explorer && (listFocus|!listFocus) && !inputFocus\b/, key);
});

test("a key on a row has VS Code mark the row before it runs the verb, and off the rows the verb asks which one is meant", () => {
  const takesTarget = new Set(typedCommands.filter(({ takesTarget }) => takesTarget).map(({ id }) => id));
  const ofRows = contributes.keybindings.filter(({ when }) => when.includes("&& listFocus"));
  const marked = ofRows.flatMap(({ command, args }) => (command === "runCommands" ? [(args as { commands: readonly (string | Bound)[] }).commands] : []));
  assert.ok(marked.length >= 5);
  for (const steps of marked) {
    const verb = steps.at(-1) as Bound;
    assert.deepEqual([...steps.slice(0, 2), verb.args, takesTarget.has(verb.command)], ["list.toggleSelection", "list.toggleSelection", { pressed: true }, true], verb.command);
  }
  for (const { command, args } of contributes.keybindings.filter(({ command }) => command !== "runCommands")) assert.equal(args, undefined, command);
  for (const { command } of ofRows.filter(({ command }) => command !== "runCommands")) assert.ok(!takesTarget.has(command), command);
});

test("views and their container are those of the typed lists", () => {
  assert.deepEqual(Object.keys(contributes.views), [viewContainer]);
  assert.deepEqual(contributes.viewsContainers.activitybar.map(({ id }) => id), [viewContainer]);
  assert.deepEqual((contributes.views[viewContainer] ?? []).map(({ id }) => id), Object.values(views));
  for (const { view } of contributes.viewsWelcome) assert.ok(Object.values(views).includes(view as never), view);
});

test("every setting has the type, default, choices and bounds of its schema", () => {
  assert.deepEqual(Object.keys(properties).sort(), Object.keys(settingsSchema).map((key) => prefix + key).sort());
  for (const [key, schema] of Object.entries(settingsSchema)) {
    const expected = z.toJSONSchema(schema, { io: "input" }) as Partial<Property>;
    const property = properties[prefix + key];
    assert.ok(property);
    for (const field of ["type", "default", "enum", "minimum", "maximum"] as const) assert.deepEqual(property[field], expected[field], `${key}: ${field}`);
    assert.ok(property.markdownDescription.length > 10 && property.order > 0 && property.scope.length > 0, key);
  }
});

test("an entry of the cluster list has the fields of its schema, and its pattern refuses what the schema refuses", () => {
  const expected = z.toJSONSchema(clusterEntrySchema, { io: "input" }) as { properties: Record<string, { type: string; description: string }>; required: string[] };
  const items = properties[`${prefix}clusters`]?.items;
  assert.ok(items);
  assert.deepEqual(items.required, expected.required);
  assert.deepEqual(Object.fromEntries(Object.entries(items.properties).map(([name, { type, description }]) => [name, { type, description }])), Object.fromEntries(Object.entries(expected.properties).map(([name, { type, description }]) => [name, { type, description }])));
  assert.equal(items.additionalProperties, false);
  const pattern = new RegExp(items.properties["url"]?.pattern ?? "");
  for (const url of ["http://localhost:8081", "https://flink.example.com/gateway/flink/", "http://[::1]:8081", "http://user:secret@host:8081", "http://user@host", "ftp://host", "localhost:8081", "https://"]) {
    assert.equal(pattern.test(url), clusterEntrySchema.safeParse({ name: "a", url }).success, url);
  }
});

test("an entry of the warehouse list has the fields of its schema", () => {
  const expected = z.toJSONSchema(warehouseEntrySchema, { io: "input" }) as { properties: Record<string, { type: string; description: string }>; required: string[] };
  const items = properties[`${prefix}warehouses`]?.items;
  assert.ok(items);
  assert.deepEqual(items.required, expected.required);
  const named = (fields: Record<string, { type: string; description: string }>): object => Object.fromEntries(Object.entries(fields).map(([name, { type, description }]) => [name, { type, description }]));
  assert.deepEqual(named(items.properties), named(expected.properties));
  assert.equal(items.additionalProperties, false);
});

test("what a workspace must not choose unless it is trusted is restricted, and is a setting", () => {
  const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  for (const key of restrictedConfigurations) assert.ok(key in properties, key);
  for (const key of ["clusters", "warehouses", "localFlink.javaHome", "localFlink.mavenRepository", "localFlink.version"]) assert.ok(restrictedConfigurations.includes(prefix + key), key);
});

test("every picture that is named is there", () => {
  const files = [manifest.icon, ...contributes.viewsContainers.activitybar.map(({ icon }) => icon), ...Object.values(contributes.views).flat().map(({ icon }) => icon)];
  assert.deepEqual(files.filter((file) => !existsSync(path.join(root, file))), []);
});

test("the extension is activated once the window has started, since Flink forgets results in five minutes, and built for the oldest VS Code it names", () => {
  assert.deepEqual(manifest.activationEvents, ["onStartupFinished"]);
  assert.equal(manifest.main, "./dist/extension.js");
  assert.equal(`^${manifest.devDependencies["@types/vscode"] ?? ""}`, manifest.engines.vscode);
  for (const [name, version] of Object.entries(manifest.devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/, name);
});
