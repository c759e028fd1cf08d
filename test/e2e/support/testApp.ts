import { readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { createApp, type App } from "../../../src/app";
import type { PaimonSettings } from "../../../src/clients/paimon/paimonTables";
import type { CleanupRules } from "../../../src/core/cleanup/rules";
import type { LedgerRecord, RestoreRecord, SavepointRecord } from "../../../src/core/ledger/record";
import type { Log, Run, Vault } from "../../../src/core/ports";
import type { CleanupService } from "../../../src/services/cleanup";
import { cacheFolder, plainHttp } from "../../rig/flink";
import type { SchedulerTiming } from "../../../src/services/scheduler";

/** The services as one window of the editor has them, with what they logged. */
export interface TestApp {
  readonly app: App;
  readonly lines: string[];
  savepoint(id: string): Promise<SavepointRecord>;
  restore(id: string): Promise<RestoreRecord>;
  savepoints(): Promise<readonly SavepointRecord[]>;
  restores(): Promise<readonly RestoreRecord[]>;
  dispose(): void;
}

/** What a window is opened with. */
export interface TestAppOptions {
  readonly ledgerFolder: string;
  /** Addresses of the clusters that are configured. */
  readonly clusters: readonly string[];
  readonly requestTimeoutMs?: number;
  readonly receiveGraceMs?: number;
  readonly programGraceMs?: number;
  /** A Paimon warehouse with the jars of its action command, or the address of a SQL Gateway that reaches it. */
  readonly warehouse?: { readonly path: string; readonly jars: readonly string[]; readonly sqlGateway?: string; readonly catalogOptions?: Readonly<Record<string, string>> };
  readonly schedulerTiming?: Partial<SchedulerTiming>;
}

/** Opens the services on a ledger, as the extension does when a window opens; short patience, since requests travel within one machine. */
export function openApp(options: TestAppOptions): TestApp {
  const lines: string[] = [];
  const app = createApp({
    ledgerFolder: options.ledgerFolder,
    credentials: { get: () => Promise.resolve([]), set: () => Promise.resolve(), delete: () => Promise.resolve() },
    vault: fileVault(path.join(options.ledgerFolder, "..", "vault.json")),
    requestTimeoutMs: () => options.requestTimeoutMs ?? 20_000,
    log: logInto((line) => lines.push(line)),
    workspaceCommit: () => Promise.resolve({ commit: "0123456789abcdef0123456789abcdef01234567", branch: "main", dirty: false }),
    receiveGraceMs: options.receiveGraceMs ?? 1_500,
    programGraceMs: options.programGraceMs ?? 2_000,
    ...(options.schedulerTiming === undefined ? {} : { schedulerTiming: options.schedulerTiming }),
    inspectionThread: path.join("dist", "worker", "inspection.js"),
    comparisonThread: path.join("dist", "worker", "comparison.js"),
    ...(options.warehouse === undefined ? {} : { paimon: paimonOf(options.warehouse) }),
  });
  app.clusters.setProfiles(options.clusters.map((url) => ({ name: `Flink at ${new URL(url).host}`, url })));
  const all = (): Promise<readonly LedgerRecord[]> => app.ledger.all();
  const one = async <K extends LedgerRecord["kind"]>(kind: K, id: string): Promise<Extract<LedgerRecord, { kind: K }>> => {
    const record = await app.ledger.get(id);
    if (record?.kind !== kind) throw new Error(`no ${kind} ${id} in the ledger`);
    return record as Extract<LedgerRecord, { kind: K }>;
  };
  return {
    app, lines,
    savepoint: (id) => one("savepoint", id),
    restore: (id) => one("restore", id),
    savepoints: async () => (await all()).filter((record) => record.kind === "savepoint"),
    restores: async () => (await all()).filter((record) => record.kind === "restore"),
    dispose: () => app.dispose(),
  };
}

/** Cleanup by the same rules for every job. */
export function cleanupOf(app: App, rules: CleanupRules): Promise<CleanupService> {
  return app.cleanup({ find: () => ({ enabled: true, rules, source: "flink-savepoints.json" }), tagsNeeded: () => Promise.resolve(new Map()) });
}

function paimonOf({ path: location, jars, sqlGateway, catalogOptions = {} }: NonNullable<TestAppOptions["warehouse"]>): PaimonSettings {
  const profile = { name: "test", path: location, catalog: "paimon", catalogOptions, jars, ...(sqlGateway === undefined ? {} : { sqlGateway }) };
  return {
    warehouses: () => [profile], javaHome: () => "", mavenRepository: () => "", listsFolder: "media/paimon", cacheFolder, homeFolder: homedir(), env: process.env, mavenHttp: plainHttp(), stillMs: 1_200,
  };
}

/** What SecretStorage is to the extension: survives the process. */
function fileVault(file: string): Vault {
  const all = async (): Promise<Record<string, string>> => JSON.parse(await readFile(file, "utf8").catch(() => "{}")) as Record<string, string>;
  return {
    get: async (key) => (await all())[key],
    set: async (key, value) => writeFile(file, JSON.stringify({ ...(await all()), [key]: value })),
    delete: async (key) => writeFile(file, JSON.stringify({ ...(await all()), [key]: undefined })),
  };
}

/** A log whose lines go to `write`, with level and arguments. */
export function logInto(write: (line: string) => void): Log {
  const level = (name: string) => (message: string | Error, ...args: unknown[]): void => write([name, message instanceof Error ? message.stack : message, ...args.map(textOf)].join(" "));
  return { trace: level("trace"), debug: level("debug"), info: level("info"), warn: level("warn"), error: level("error") };
}

function textOf(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value);
  return `${value.message} ${JSON.stringify((value as { facts?: unknown }).facts)} ${value.stack ?? ""}`;
}

/** Somebody who waits, remembers the steps, and may stop waiting. */
export interface TestRun extends Run {
  readonly steps: readonly { readonly message: string; readonly percent?: number }[];
  abort(): void;
}

export function patience(): TestRun {
  const controller = new AbortController();
  const steps: { message: string; percent?: number }[] = [];
  return { signal: controller.signal, steps, report: (step) => void steps.push(step), abort: () => controller.abort() };
}
