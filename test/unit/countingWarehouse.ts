import { localWarehouse } from "../../src/clients/paimon/localWarehouse";
import type { WarehouseReader } from "../../src/core/paimon/warehouse";

/** Reads a warehouse on this disk and counts what it reads. */
export class CountingWarehouse implements WarehouseReader {
  files = 0;
  folders = 0;
  look = localWarehouse.look.bind(localWarehouse);
  list: WarehouseReader["list"] = (place, signal) => {
    this.folders++;
    return localWarehouse.list(place, signal);
  };
  read: WarehouseReader["read"] = (place, limit, signal) => {
    this.files++;
    return localWarehouse.read(place, limit, signal);
  };
}
