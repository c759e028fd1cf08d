import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gatewayOf, type SqlGateway } from "../../../src/clients/paimon/sqlGateway";
import { findJava } from "../../../src/clients/localFlink/java";
import { systemClock } from "../../../src/core/base/async";
import type { WarehouseProfile } from "../../../src/core/model/warehouse";
import { jdbcJars, plainHttp, quietLog } from "../../rig/flink";
import { gatewayAlone, paimonFlinks, type TestGateway } from "../../rig/paimon";

/** A catalog in a database whose warehouse is a place that only Hadoop's file system at the gateway knows: a mount point that leads to a folder. */
export interface JdbcCatalog {
  readonly server: TestGateway;
  readonly profile: WarehouseProfile & { readonly sqlGateway: string };
  /** Where the mount point leads. */
  readonly files: string;
  /** Makes tables of a database known, without files: to this catalog, or to one of another key in the same database. Before any session is open. */
  register(database: string, tables: readonly string[], catalogKey?: string): Promise<void>;
  /** Makes the tables of a file-system warehouse the catalog's. */
  adopt(warehouse: string, database: string, tables: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a gateway and makes the catalog. `folder` is made. */
export async function jdbcCatalog(folder: string): Promise<JdbcCatalog> {
  const version = paimonFlinks[0];
  const jars = await jdbcJars(version);
  const files = path.join(folder, "files");
  await mkdir(files, { recursive: true });
  const server = await gatewayAlone(version, path.join(folder, "gateway"), {}, jars);
  const database = path.join(folder, "catalog.db");
  const profile = {
    name: "lake", path: "viewfs://lake/warehouse", catalog: "paimon", jars: [], sqlGateway: server.url,
    catalogOptions: { metastore: "jdbc", uri: `jdbc:sqlite:${database}?busy_timeout=60000&journal_mode=WAL`, "hadoop.fs.viewfs.mounttable.lake.link./warehouse": `file://${files}` },
  };
  // Its tables are made by the first session.
  const first: SqlGateway = gatewayOf(profile, { http: plainHttp(), clock: systemClock, log: quietLog });
  await first.run("SHOW CATALOGS", AbortSignal.timeout(60_000));
  await first.close();
  const program = path.join(folder, "Register.java");
  await writeFile(program, "public class Register { public static void main(String[] a) throws Exception { try (var c = java.sql.DriverManager.getConnection(a[0])) { c.setAutoCommit(false);"
    + " try (var s = c.prepareStatement(\"INSERT OR IGNORE INTO paimon_database_properties (catalog_key, database_name, property_key, property_value) VALUES (?, ?, 'exists', 'true')\")) { s.setString(1, a[1]); s.setString(2, a[2]); s.executeUpdate(); }"
    + " try (var s = c.prepareStatement(\"INSERT INTO paimon_tables (catalog_key, database_name, table_name) VALUES (?, ?, ?)\")) { for (int i = 3; i < a.length; i++) { s.setString(1, a[1]); s.setString(2, a[2]); s.setString(3, a[i]); s.executeUpdate(); } } c.commit(); } } }");
  const { executable } = await findJava("", process.env, AbortSignal.timeout(20_000));
  const catalog: JdbcCatalog = {
    server, profile, files,
    async register(name, tables, catalogKey = "jdbc") {
      await promisify(execFile)(executable, ["-cp", jars.join(path.delimiter), program, profile.catalogOptions.uri, catalogKey, name, ...tables]);
    },
    async adopt(warehouse, name, tables) {
      cpSync(path.join(warehouse, `${name}.db`), path.join(files, `${name}.db`), { recursive: true, preserveTimestamps: true });
      await catalog.register(name, tables);
    },
    async stop() {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return catalog;
}
