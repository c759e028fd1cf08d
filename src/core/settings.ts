import * as z from "zod";
import { normaliseClusterUrl } from "./model/cluster";
import { warehouseKey } from "./model/warehouse";

/** Flink releases that *Start Local Flink* offers; each has its list of jars in `media/flink`. */
export const localFlinkVersions = ["2.3.0", "2.2.1", "2.1.3", "2.0.2", "1.20.5", "1.19.3", "1.18.1", "1.17.2", "1.16.3", "1.15.4"] as const;

const clusterUrl = z.string().refine((text) => normaliseClusterUrl(text) !== undefined, {
  error: "must be an http:// or https:// address without user name and password",
});

/** How loud a rule of the lint may be set, in the words of VS Code. */
const lintSeverities = ["error", "warning", "information", "hint", "off"] as const;

/** One entry of `flinkSavepoints.clusters`. */
export const clusterEntrySchema = z.object({
  name: z.string().trim().min(1).describe("What the cluster is called in the tree."),
  url: clusterUrl.describe("Base address of the JobManager's REST API, path prefix included."),
  caFile: z.string().min(1).optional().describe("PEM file with the certificate authorities to trust for this cluster."),
});

/** An entry of the list as it is written; `url` is not normalised yet. */
export type ClusterEntry = z.infer<typeof clusterEntrySchema>;

const warehousePath = z.string().refine((text) => warehouseKey(text) !== undefined, { error: "must be an absolute path or a URI such as file:/data/warehouse" });

/** One entry of `flinkSavepoints.warehouses`. */
export const warehouseEntrySchema = z.object({
  name: z.string().trim().min(1).optional().describe("What the warehouse is called in the tree. Absent: its path."),
  path: warehousePath.describe("Location of the warehouse, as the catalog's option warehouse has it. Folders on this machine are read directly, all others through sqlGateway."),
  sqlGateway: clusterUrl.optional().describe("Base address of a Flink SQL Gateway that reaches the warehouse: lists its tables where their folder is not on this machine, and changes tags and tables."),
  caFile: z.string().min(1).optional().describe("PEM file with the certificate authorities to trust for its SQL Gateway."),
  catalog: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "must be letters, digits and underscores" }).optional().describe("Name that the catalog gets in statements. Absent: paimon."),
  catalogOptions: z.record(z.string(), z.string()).optional().describe("Further options of the catalog, such as metastore and uri. Settings are not secret: write ${secret} for a key or password, and run Store Warehouse Secrets."),
  jars: z.array(z.string().min(1)).optional().describe("Jars, or folders of jars, that Paimon's action command runs with: Flink's lib and Paimon's bundle."),
});

/** An entry of the list as it is written; `path` is not normalised yet. */
export type WarehouseEntry = z.infer<typeof warehouseEntrySchema>;

/** Every setting, keyed as in package.json without the prefix `flinkSavepoints.`. `manifest.test` keeps both alike. */
export const settingsSchema = {
  "clusters": z.array(z.unknown()).default([]).describe("Flink clusters to show."),
  "warehouses": z.array(z.unknown()).default([]).describe("Paimon warehouses to show."),
  "refresh.intervalSeconds": z.number().min(1).max(3600).default(3).describe("Seconds between two looks at what is visible while something changes."),
  "requests.timeoutSeconds": z.number().min(1).max(600).default(30).describe("Seconds to wait for an answer of a cluster. Savepoints themselves are never timed out."),
  "localFlink.version": z.enum(localFlinkVersions).default("2.3.0").describe("Flink release that Start Local Flink runs."),
  "localFlink.port": z.number().int().min(1024).max(65530).default(8081).describe("REST port of the local Flink; the next free one is taken when it is in use."),
  "localFlink.javaHome": z.string().default("").describe("Java to run the local Flink with. Empty: JAVA_HOME, then java on the PATH."),
  "localFlink.mavenRepository": z.string().default("").describe("Maven repository to take Flink's jars from when ~/.m2 lacks them. Empty: mvn, with its own settings and mirrors."),
  "localFlink.keepRunning": z.boolean().default(false).describe("Keep the local Flink running when the window closes."),
  "lint.enable": z.boolean().default(true).describe("Look for stateful operators without a uid, and other ways to lose state, in code and configuration of Flink jobs."),
  "lint.rules": z.record(z.string(), z.enum(lintSeverities)).default({}).describe("How loud each rule is: rule id to severity."),
  "lint.exclude": z.array(z.string()).default([]).describe("Patterns of files that are not linted."),
  "lint.codeLens": z.boolean().default(false).describe("Show above each uid the operator id that Flink makes of it."),
  "lint.workspaceOnOpen": z.boolean().default(false).describe("Lint the whole workspace when it is opened, instead of open files only."),
} as const;

/** A setting's key without the prefix. */
export type SettingKey = keyof typeof settingsSchema;

/** Valid values of all settings. */
export type Settings = { readonly [K in SettingKey]: z.infer<(typeof settingsSchema)[K]> };
