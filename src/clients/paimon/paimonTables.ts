import { stat, statfs } from "node:fs/promises";
import path from "node:path";
import type { Disposable } from "../../core/base/disposable";
import { FlinkError, isFlinkError } from "../../core/errors";
import { localPath } from "../../core/model/location";
import { secretKey, secretReference, type WarehouseProfile } from "../../core/model/warehouse";
import { isOpenSecret, type PaimonActions, type SentStatement, type StatementStanding } from "../../core/paimon/actions";
import { reachOf } from "../../core/paimon/catalogReach";
import { FileTables } from "../../core/paimon/fileTables";
import type { RollbackWarehouse, WarehouseAway } from "../../core/paimon/rollback/plan";
import type { Clock, Log, Run, Vault } from "../../core/ports";
import type { Http } from "../http";
import { openLocalFile } from "../localFiles";
import { openLocalMetadata } from "../localMetadata";
import { prepareJars, readJarList } from "../localFlink/jars";
import { findJava } from "../localFlink/java";
import { actionCommand, namedJars } from "./actionCommand";
import { localWarehouse, writeWhole } from "./localWarehouse";
import { GatewayTables } from "./gatewayTables";
import { gatewayActions, gatewayOf, SqlGateway } from "./sqlGateway";

/** What acting on Paimon's tables needs of the world. */
export interface PaimonWorld {
  warehouses(): readonly WarehouseProfile[];
  /** Settings of *Start Local Flink*: the Java to run, and where jars come from. */
  javaHome(): string;
  mavenRepository(): string;
  /** The folder that holds `actions.json`, the list of jars of Paimon's action command, and where its jars are kept. */
  readonly listsFolder: string;
  readonly cacheFolder: string;
  readonly homeFolder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Without credentials: it speaks to Maven repositories. */
  readonly mavenHttp: Pick<Http, "send">;
  readonly http: Pick<Http, "send">;
  readonly vault: Pick<Vault, "get">;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the app's owner says of it; the rest is the app's own. */
export interface PaimonSettings extends Omit<PaimonWorld, "http" | "vault" | "clock" | "log"> {
  /** See `RollbackService`; three seconds unless told. */
  readonly stillMs?: number;
}

/** The tables of the configured warehouses: read on this machine's disks, acted on as each warehouse says. Nothing is opened before it is asked for. */
export class PaimonTables implements Disposable {
  readonly #world: PaimonWorld;
  /** By everything that a session depends on, so that a changed setting gets a session of its own. */
  readonly #gateways = new Map<string, SqlGateway>();
  readonly #asked = new Map<string, GatewayTables>();
  #jars: Promise<readonly string[]> | undefined;

  readonly openMetadata = openLocalMetadata;
  readonly openFile = openLocalFile;

  constructor(world: PaimonWorld) {
    this.#world = world;
  }

  /** Those whose tables can be read, by their files or through their gateway, and those whose can't be now. */
  async warehouses(): Promise<{ readonly found: readonly RollbackWarehouse[]; readonly away: readonly WarehouseAway[] }> {
    const found: RollbackWarehouse[] = [];
    const away: WarehouseAway[] = [];
    for (const profile of this.#world.warehouses()) {
      const location = profile.path;
      try {
        const reach = await reachOf(localWarehouse, profile);
        found.push(reach.way === "gateway" ? { location, tables: this.askedTables(profile) } : { location, tables: new FileTables(localWarehouse, reach.folder), files: { folder: reach.folder, reader: localWarehouse } });
      } catch (error) {
        if (!isFlinkError(error, "warehouse-unreachable")) throw error;
        away.push({ location, reason: error.facts.reason });
      }
    }
    return { found, away };
  }

  /** The tables of a warehouse as its SQL Gateway tells of them; the warehouse may be one that is only being added. */
  askedTables(profile: WarehouseProfile): GatewayTables {
    const key = keyOf(profile);
    let tables = this.#asked.get(key);
    if (tables === undefined) {
      tables = new GatewayTables({ gateway: this.#gatewayOf(profile), catalog: profile.catalog, url: profile.sqlGateway ?? "", warehouse: profile.name, clock: this.#world.clock });
      this.#asked.set(key, tables);
    }
    return tables;
  }

  /** What acts on a warehouse: its SQL Gateway where it has one, else Paimon's action command. Throws `warehouse-unknown`. */
  actions(location: string): PaimonActions {
    const profile = this.profile(location);
    const gateway = this.gateway(location);
    if (gateway !== undefined) return gatewayActions(gateway, { catalog: profile.catalog, url: profile.sqlGateway ?? "", path: profile.path });
    const { env, log } = this.#world;
    return actionCommand({ warehouse: () => this.#withSecrets(profile), env, log, java: async (signal) => (await findJava(this.#world.javaHome(), env, signal)).executable, jars: (run) => (profile.jars.length > 0 ? namedJars(profile.jars) : this.#ownJars(run)) });
  }

  /** The SQL Gateway of a warehouse, or undefined. */
  gateway(location: string): SqlGateway | undefined {
    const profile = this.profile(location);
    return profile.sqlGateway === undefined ? undefined : this.#gatewayOf(profile);
  }

  #gatewayOf(profile: WarehouseProfile): SqlGateway {
    const key = keyOf(profile);
    let gateway = this.#gateways.get(key);
    if (gateway === undefined) {
      gateway = gatewayOf({ ...profile, sqlGateway: profile.sqlGateway ?? "" }, this.#world, () => this.#withSecrets(profile));
      this.#gateways.set(key, gateway);
    }
    return gateway;
  }

  /** How a statement stands that the gateway at this address was sent, whatever the settings say by now. */
  statementAt(url: string, statement: SentStatement, signal: AbortSignal): Promise<StatementStanding> {
    const caFile = this.#world.warehouses().find(({ sqlGateway, caFile: named }) => sqlGateway === url && named !== undefined)?.caFile;
    return new SqlGateway({ ...this.#world, url, caFile, opening: () => Promise.resolve([]) }).standingOf(statement, signal);
  }

  /** A warehouse as it is configured. Throws `warehouse-unknown`. */
  profile(location: string): WarehouseProfile {
    const profile = this.#world.warehouses().find(({ path: known }) => known === location);
    if (profile === undefined) throw new FlinkError("warehouse-unknown", { warehouse: location });
    return profile;
  }

  /** Writes a file over what is there, in one step. */
  write(file: string, text: string): Promise<void> {
    return writeWhole(file, text);
  }

  /** When the `_metadata` of a savepoint on this machine was written, epoch milliseconds. */
  async writtenMs(location: string): Promise<number | undefined> {
    const folder = localPath(location);
    if (folder === undefined) return undefined;
    const file = path.basename(folder) === "_metadata" ? folder : path.join(folder, "_metadata");
    return stat(file).then(({ mtimeMs }) => mtimeMs, () => undefined);
  }

  /** Bytes that are free on the disk of a folder. */
  async freeBytes(folder: string): Promise<number | undefined> {
    return statfs(folder).then(({ bavail, bsize }) => bavail * bsize, () => undefined);
  }

  /** Reads what the settings leave to SecretStorage. Throws `catalog-secret-missing`, `secrets-unavailable`. */
  async #withSecrets(profile: WarehouseProfile): Promise<WarehouseProfile> {
    const values = await Promise.all(Object.entries(profile.catalogOptions).map(async ([option, value]) => [option, value === secretReference ? await this.#world.vault.get(secretKey(profile, option, isOpenSecret)) : value] as const));
    const options = values.flatMap(([option, value]) => (value === undefined ? [option] : []));
    if (options.length > 0) throw new FlinkError("catalog-secret-missing", { warehouse: profile.path, name: profile.name, options });
    return { ...profile, catalogOptions: Object.fromEntries(values) as Record<string, string> };
  }

  /** Closes the sessions of gateways that no warehouse has any more, or of all. */
  async closeSessions(which: "unused" | "all"): Promise<void> {
    const used = new Set(which === "all" ? [] : this.#world.warehouses().map(keyOf));
    const leaving = [...this.#gateways].filter(([key]) => !used.has(key));
    for (const [key] of leaving) {
      this.#gateways.delete(key);
      this.#asked.delete(key);
    }
    await Promise.all(leaving.map(([, gateway]) => gateway.close()));
  }

  dispose(): void {
    void this.closeSessions("all");
  }

  /** Paimon's own jars, fetched once and checked as those of *Start Local Flink*. */
  #ownJars(run: Run): Promise<readonly string[]> {
    this.#jars ??= (async () => {
      const { listsFolder, cacheFolder, homeFolder, env, mavenHttp, log } = this.#world;
      return prepareJars(await readJarList(listsFolder, "actions"), { cacheFolder, mavenRepository: this.#world.mavenRepository(), homeFolder, env, http: mavenHttp, log }, run);
    })();
    this.#jars.catch(() => (this.#jars = undefined));
    return this.#jars;
  }
}

/** All that a session, and what is told of it, depends on. */
function keyOf({ name, sqlGateway, caFile, path: location, catalog, catalogOptions }: WarehouseProfile): string {
  return JSON.stringify([name, sqlGateway, caFile, location, catalog, catalogOptions]);
}
