import { FlinkError } from "../errors";
import { localPath } from "../model/location";
import type { WarehouseProfile } from "../model/warehouse";
import type { WarehouseReader } from "./warehouse";

/** Where the tables of a warehouse are read: from the files in a folder, or through its SQL Gateway. */
export type CatalogReach = { readonly way: "files"; readonly folder: string } | { readonly way: "gateway"; readonly sqlGateway: string };

/** Metastores that lay tables out as `<database>.db/<table>` below the warehouse; others may put them anywhere. */
const knownLayouts: readonly (string | undefined)[] = [undefined, "filesystem", "jdbc"];

/** How a warehouse is reached: its own files where they are on this machine and lie where they must. Throws `warehouse-unreachable` with what keeps it from being read. */
export async function reachOf(reader: Pick<WarehouseReader, "look">, { path, sqlGateway, catalogOptions }: Pick<WarehouseProfile, "path" | "sqlGateway" | "catalogOptions">): Promise<CatalogReach> {
  const folder = localPath(path);
  const gateway = sqlGateway === undefined ? undefined : { way: "gateway", sqlGateway } as const;
  if (gateway !== undefined && !knownLayouts.includes(catalogOptions["metastore"])) return gateway;
  const fault = async (): Promise<{ reason: string; cause?: unknown } | undefined> => {
    if (folder === undefined) return { reason: "elsewhere" };
    try {
      const look = await reader.look(folder);
      return look === undefined ? { reason: "missing" } : look.isFolder ? undefined : { reason: "file" };
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error), cause: error };
    }
  };
  const found = await fault();
  if (found === undefined && folder !== undefined) return { way: "files", folder };
  if (gateway !== undefined) return gateway;
  throw new FlinkError("warehouse-unreachable", { warehouse: path, reason: found?.reason ?? "elsewhere" }, { cause: found?.cause });
}
