import type { KnownFacts } from "../../core/lint/shareProtocol";
import { CacheFile } from "./cacheFile";

/** What the facts of one project may take; facts beyond it are not kept. */
export const factsLimitBytes = 128 * 1024 * 1024;
/** Runs that facts of a file outlast without being asked for, as when other folders are linted in turn, or another branch is checked out. */
const idleRuns = 20;

/** Facts of a file that was read now. */
export interface ReadFacts extends KnownFacts {
  readonly path: string;
}

/** Facts in the cache, with how many runs did not ask for them. */
interface StoredFacts extends KnownFacts {
  readonly idle: number;
}

/** The file of the cache that has the facts of a project's files. What is written takes the place of what was read. */
export class FactsFile {
  readonly #file: CacheFile;
  #known: ReadonlyMap<string, StoredFacts> = new Map<string, StoredFacts>();

  constructor(folder: string, whose: readonly string[]) {
    this.#file = new CacheFile(folder, "facts", whose);
  }

  /** What was read or written last, by path. */
  get known(): ReadonlyMap<string, KnownFacts> {
    return this.#known;
  }

  /** Facts as earlier runs read them, by path; none when there is no such file, or it is damaged. The bytes of all are parts of one buffer. */
  async read(): Promise<ReadonlyMap<string, KnownFacts>> {
    const bytes = await this.#file.read();
    try {
      this.#known = (bytes === undefined ? undefined : factsIn(bytes)) ?? new Map<string, StoredFacts>();
    } catch {
      this.#known = new Map<string, StoredFacts>();
    }
    return this.#known;
  }

  /** Writes what a run that looked at the files of `paths` read of them, where that differs from what was read before. Rejects when it can't be written. */
  async write(paths: ReadonlySet<string>, read: readonly ReadFacts[]): Promise<void> {
    const before = this.#known;
    if (!read.some(({ path, digest }) => before.get(path)?.digest !== digest)) return;
    const all = [
      ...read.map((each) => ({ ...each, idle: 0 })),
      ...[...before].flatMap(([path, { digest, facts, idle }]) => (paths.has(path) || idle >= idleRuns ? [] : [{ path, digest, facts, idle: idle + 1 }])),
    ];
    let total = 0;
    const fits = all.filter(({ facts }) => (total += facts.length) <= factsLimitBytes);
    const list = Buffer.from(JSON.stringify(fits.map(({ path, digest, facts, idle }) => [path, digest, facts.length, idle])));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(list.length);
    await this.#file.write([length, list, ...fits.map(({ facts }) => facts)]);
    this.#known = new Map(fits.map(({ path, digest, facts, idle }) => [path, { digest, facts, idle }]));
  }
}

/** A length of four bytes, that of a list of `[path, digest, length, idle]` as JSON; the list; then the facts in its order. Undefined, or an error, for what is nothing of the kind. */
function factsIn(bytes: Buffer<ArrayBuffer>): ReadonlyMap<string, StoredFacts> | undefined {
  let at = 4 + bytes.readUInt32LE(0);
  const list: unknown = JSON.parse(bytes.toString("utf8", 4, at));
  if (!Array.isArray(list)) return undefined;
  const found = new Map<string, StoredFacts>();
  for (const [path, digest, length, idle] of list as readonly [string, string, number, number][]) {
    found.set(path, { digest, facts: new Uint8Array(bytes.buffer, bytes.byteOffset + at, length), idle });
    at += length;
  }
  return at === bytes.length ? found : undefined;
}
