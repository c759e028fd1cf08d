import type { FolderEntry, PlaceLook, WarehouseReader } from "./warehouse";

/** Files that are longer are not kept: manifests are read once. */
const keptBytes = 16 << 10;

interface Kept<T> {
  readonly stamp: string;
  readonly value: T;
}

/**
 * Reads again only what has another stamp. Ids of snapshots are used again after a rollback, with other content, so a name alone is never enough.
 * `mostFiles` and as many folders are kept, the ones read last.
 */
export class CachedWarehouse implements WarehouseReader {
  readonly #reader: WarehouseReader;
  readonly #mostFiles: number;
  readonly #files = new Map<string, Kept<Uint8Array>>();
  readonly #folders = new Map<string, Kept<readonly FolderEntry[]>>();

  constructor(reader: WarehouseReader, mostFiles = 20_000) {
    this.#reader = reader;
    this.#mostFiles = mostFiles;
  }

  look(place: string): Promise<PlaceLook | undefined> {
    return this.#reader.look(place);
  }

  list(folder: string, signal?: AbortSignal): Promise<readonly FolderEntry[] | undefined> {
    return this.#read(this.#folders, folder, () => this.#reader.list(folder, signal), () => true);
  }

  read(file: string, limitBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#read(this.#files, file, () => this.#reader.read(file, limitBytes, signal), (bytes) => bytes.length <= keptBytes);
  }

  async #read<T>(kept: Map<string, Kept<T>>, place: string, read: () => Promise<T | undefined>, isKept: (value: T) => boolean): Promise<T | undefined> {
    // The stamp is taken first: what changes while it is read is read again.
    const stamp = (await this.#reader.look(place))?.stamp;
    const before = kept.get(place);
    kept.delete(place);
    if (stamp === undefined) return undefined;
    if (before?.stamp === stamp) {
      kept.set(place, before);
      return before.value;
    }
    const value = await read();
    if (value === undefined || !isKept(value)) return value;
    kept.set(place, { stamp, value });
    for (const [oldest] of kept) {
      if (kept.size <= this.#mostFiles) break;
      kept.delete(oldest);
    }
    return value;
  }
}
