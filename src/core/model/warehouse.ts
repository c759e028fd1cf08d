import { locationFault, normaliseLocation } from "./location";

/** A Paimon warehouse as a person configured it. */
export interface WarehouseProfile {
  /** What it is called in the tree; the path where nothing else was given. */
  readonly name: string;
  /** Its location, normalised: the key of the warehouse everywhere. */
  readonly path: string;
  /** Base address of a Flink SQL Gateway that reaches it, or undefined. */
  readonly sqlGateway?: string;
  /** PEM file with the certificate authorities to trust for that, instead of the system's. */
  readonly caFile?: string;
  /** Name that the catalog gets in statements and commands. */
  readonly catalog: string;
  /** Further options of the catalog, such as `metastore` and `uri`. */
  readonly catalogOptions: Readonly<Record<string, string>>;
  /** Jars, or folders of jars, that Paimon's action command runs with: Flink's `lib` and Paimon's bundle. */
  readonly jars: readonly string[];
}

/** Stands in the settings for the value of an option that is kept in SecretStorage. */
export const secretReference = "${secret}";

/**
 * Where SecretStorage keeps the value of an option. It is told to none but what it was given for: an entry that names another gateway, or differs in an
 * option, such as the storage's endpoint, finds nothing.
 */
export function secretKey({ path, sqlGateway, catalogOptions }: Pick<WarehouseProfile, "path" | "sqlGateway" | "catalogOptions">, option: string, isSecret: (key: string, value: string) => boolean): string {
  const others = Object.entries(catalogOptions).filter(([key, value]) => key !== option && value !== secretReference && !isSecret(key, value)).sort(([a], [b]) => (a < b ? -1 : 1));
  return `warehouse ${JSON.stringify([path, sqlGateway ?? null, option, others])}`;
}

/** The catalog's name where none is set. */
export const defaultCatalog = "paimon";

/** The key of a warehouse: its location in one spelling, or undefined for what is neither an absolute path nor a URI. */
export function warehouseKey(location: string): string | undefined {
  return locationFault(location) === undefined ? normaliseLocation(location) : undefined;
}
