import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import * as z from "zod";
import { createApp, type App } from "../app";
import { unreadableReason } from "../clients/localFiles";
import { localWarehouse } from "../clients/paimon/localWarehouse";
import { pairingInProcess } from "../clients/paimon/pairingThread";
import { systemClock } from "../core/base/async";
import { DisposableStore, type Disposable } from "../core/base/disposable";
import { findCleanup } from "../core/cleanup/findCleanup";
import { FlinkError } from "../core/errors";
import { clusterOf } from "../core/lifecycle/inForce";
import { normaliseClusterUrl, type ClusterProfile } from "../core/model/cluster";
import { defaultCatalog } from "../core/model/warehouse";
import type { Credential, Credentials, Log } from "../core/ports";
import { issueText } from "../core/zodIssue";
import type { CleanupService } from "../services/cleanup";
import { keptTags } from "../services/keptTags";
import { LifecycleFiles } from "../services/lifecycleFiles";
import { PairService } from "../services/pairs";
import { WarehouseService } from "../services/warehouses";
import { UsageError } from "./command";
import { textOf, type HeadlessOptions } from "./lifecycleArguments";

/** Names the file of credentials, or holds its text. */
const credentialsVariable = "FLINK_SAVEPOINTS_CREDENTIALS";

const credentialSchema = z.strictObject({
  user: z.string().min(1).optional(), password: z.string().optional(), token: z.string().min(1).optional(),
  certFile: z.string().min(1).optional(), keyFile: z.string().min(1).optional(), passphrase: z.string().optional(), caFile: z.string().min(1).optional(),
}).refine(({ user, password }) => (user === undefined) === (password === undefined), { error: "user and password go together" })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), { error: "certFile and keyFile go together" });

/** What the file of credentials holds, by the address of the cluster. */
const credentialsSchema = z.record(z.string().refine((address) => normaliseClusterUrl(address) !== undefined, { error: "must be the address of a cluster" }), credentialSchema);

/** The services as a window of the editor has them, without one. */
export interface Headless extends Disposable {
  readonly app: App;
  /** The files as they were read last. */
  readonly lifecycle: LifecycleFiles;
  readonly cleanup: CleanupService;
  /** Where the ledger is. */
  readonly state: string;
  /** Clusters that are known now. */
  profiles(): readonly ClusterProfile[];
  /** Reads the files again. Throws `file-unreadable`. */
  read(): Promise<void>;
}

/** Opens the services on the files that were named. Throws `file-unreadable`, `setting-invalid`, `UsageError`. */
export async function openHeadless(files: readonly string[], options: HeadlessOptions, log: Log): Promise<Headless> {
  const secrets = await credentialsOf(options.credentials);
  const state = options.state ?? defaultState();
  const held = new DisposableStore();
  const nowhere = (): Promise<never> => Promise.reject(new Error("this program starts no job"));
  const app = held.add(createApp({
    ledgerFolder: path.join(state, "ledger"), credentials: secrets.credentials, vault: { get: nowhere, set: nowhere, delete: nowhere }, requestTimeoutMs: () => 30_000, log, clock: systemClock,
    workspaceCommit: () => Promise.resolve(null), inspectionThread: "", comparisonThread: "",
  }));
  try {
    const lifecycle = held.add(new LifecycleFiles(log));
    const profiles = (): readonly ClusterProfile[] => app.clusters.list().filter(({ removed }) => !removed).map(({ profile }) => profile);
    const read = async (): Promise<void> => {
      lifecycle.set(await Promise.all(files.map(async (file) => ({ path: file, level: "workspace" as const, text: await textOf(file) }))));
      app.clusters.setProfiles(profilesOf(lifecycle, options, secrets.caFiles));
    };
    await read();
    const warehouses = held.add(new WarehouseService(localWarehouse));
    warehouses.setProfiles(options.warehouses.map((place) => ({ name: place, path: place, catalog: defaultCatalog, catalogOptions: {}, jars: [] })));
    const pairs = held.add(new PairService(pairingInProcess(), warehouses, app.ledger, systemClock, log));
    const cleanup = held.add(await app.cleanup({ find: (cluster, jobName) => findCleanup(lifecycle.files(), (name) => clusterOf(name, profiles()))(cluster, jobName), tagsNeeded: keptTags(pairs, warehouses) }));
    return { app, lifecycle, cleanup, state, profiles, read, dispose: () => held.dispose() };
  } catch (error) {
    held.dispose();
    throw error;
  }
}

/** Each cluster that a schedule or rule names: by its address, or by a name that the command line explains. */
function profilesOf(lifecycle: LifecycleFiles, { clusters }: HeadlessOptions, caFiles: ReadonlyMap<string, string>): ClusterProfile[] {
  const profiles = new Map<string, ClusterProfile>();
  const add = (name: string, address: string): void => {
    const url = normaliseClusterUrl(address);
    if (url === undefined) throw new UsageError(`${address} is no http:// or https:// address without user name and password.`);
    const caFile = caFiles.get(url);
    if (!profiles.has(url)) profiles.set(url, { name, url, ...(caFile === undefined ? {} : { caFile }) });
  };
  for (const [name, address] of clusters) add(name, address);
  for (const { file } of lifecycle.files()) for (const { cluster } of [...file.schedules.map(({ schedule }) => schedule), ...(file.cleanup?.jobs ?? [])]) if (cluster?.includes("://")) add(cluster, cluster);
  return [...profiles.values()];
}

/** Credentials from a file that nobody else may read, or from the environment. Each is sent to its own origin only. */
async function credentialsOf(file: string | undefined): Promise<{ readonly credentials: Credentials; readonly caFiles: ReadonlyMap<string, string> }> {
  const given = file ?? process.env[credentialsVariable];
  const byOrigin = new Map<string, Credential[]>();
  const caFiles = new Map<string, string>();
  if (given !== undefined && given !== "") {
    const isText = file === undefined && given.trimStart().startsWith("{");
    for (const [address, entry] of Object.entries(parsed(isText ? given : await secretText(given), isText ? credentialsVariable : given))) {
      const url = normaliseClusterUrl(address) ?? address;
      const found = byOrigin.get(new URL(url).origin) ?? [];
      if (entry.user !== undefined) found.push({ kind: "basic", user: entry.user, password: entry.password ?? "" });
      if (entry.token !== undefined) found.push({ kind: "bearer", token: entry.token });
      if (entry.certFile !== undefined && entry.keyFile !== undefined) found.push({ kind: "certificate", certPem: await secretText(entry.certFile, true), keyPem: await secretText(entry.keyFile), ...(entry.passphrase === undefined ? {} : { passphrase: entry.passphrase }) });
      byOrigin.set(new URL(url).origin, found);
      if (entry.caFile !== undefined) caFiles.set(url, entry.caFile);
    }
  }
  const readOnly = (): Promise<never> => Promise.reject(new Error("credentials are given by the file"));
  return { caFiles, credentials: { get: (origin) => Promise.resolve(byOrigin.get(origin) ?? []), set: readOnly, delete: readOnly } };
}

/** The text is never quoted, not even by the parser of JSON. */
function parsed(text: string, where: string): z.infer<typeof credentialsSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FlinkError("setting-invalid", { setting: where, problem: "is no JSON" });
  }
  const checked = credentialsSchema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new FlinkError("setting-invalid", { setting: where, problem: issue === undefined ? "is not valid" : `${issue.path.map(String).join(" ")}: ${issue.code === "unrecognized_keys" ? "has a property that is not known" : issueText(issue)}` });
}

async function secretText(file: string, isPublic = false): Promise<string> {
  try {
    const { mode } = await stat(file);
    if (!isPublic && process.platform !== "win32" && (mode & 0o077) !== 0) throw new FlinkError("setting-invalid", { setting: file, problem: "holds secrets and can be read by others than its owner; take that away with chmod 600" });
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof FlinkError) throw error;
    throw new FlinkError("file-unreadable", { path: file, reason: unreadableReason(error) }, { cause: error });
  }
}

/** What systemd gives a unit, else the user's own. */
function defaultState(): string {
  const { STATE_DIRECTORY, XDG_STATE_HOME } = process.env;
  if (STATE_DIRECTORY !== undefined && STATE_DIRECTORY !== "") return STATE_DIRECTORY.split(":")[0] ?? STATE_DIRECTORY;
  return path.join(XDG_STATE_HOME !== undefined && path.isAbsolute(XDG_STATE_HOME) ? XDG_STATE_HOME : path.join(homedir(), ".local", "state"), "flink-savepoints");
}
