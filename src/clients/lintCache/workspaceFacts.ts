import type { LintFolder } from "../../core/lint/protocol";
import { lintFolder, tidy } from "./cacheFile";
import { decodeFacts, FactsEncoder, KeptFacts } from "./factsCodec";
import { FactsFile, factsLimitBytes, type ReadFacts } from "./factsFile";

/** What the facts of a workspace may take, in bytes: all of them, and those of which what is late was made, before it is forgotten again. */
interface FactsLimits {
  readonly allBytes: number;
  readonly madeBytes: number;
}

/** As objects, what is late takes seven times as much as in bytes. */
const usualLimits: FactsLimits = { allBytes: factsLimitBytes, madeBytes: 4 * 1024 * 1024 };

/** Where facts are kept from one window to the next, and the build that reads them. */
export interface FactsStore {
  readonly folder: string;
  readonly build: string;
}

/** A file whose bytes have been read: its facts where they are known, and what makes of its facts what is kept, undefined when there is no room. */
export interface FileAtHand {
  readonly known: unknown;
  readonly keep: (facts: unknown) => unknown;
}

/**
 * The facts of a workspace's files as an editor keeps them: as bytes, of which objects are made as far as they are asked for; in memory up to a limit, and on
 * disk for the next window. Nothing here throws: what can't be read or written is not there.
 */
export class WorkspaceFacts {
  readonly #store: FactsStore | undefined;
  readonly #limits: FactsLimits;
  readonly #encoder = new FactsEncoder();
  readonly #late = new KeptFacts();
  readonly #files = new Map<string, { readonly digest: string; readonly facts: Uint8Array<ArrayBuffer> | undefined }>();
  readonly #stored = new Map<string, { readonly prefix: string; readonly file: FactsFile }>();
  #bytes = 0;
  #encoded = 0;

  /** Without a store nothing outlasts the thread. */
  constructor(store: FactsStore | undefined, limits = usualLimits) {
    this.#store = store;
    this.#limits = limits;
  }

  /** How many files were read anew, since nothing was known of them as they are. */
  get encoded(): number {
    return this.#encoded;
  }

  /** Reads what earlier windows kept of the folders, once for each. */
  async load(folders: readonly LintFolder[]): Promise<void> {
    if (this.#store === undefined) return;
    for (const { prefix, folder } of folders) {
      const key = JSON.stringify([prefix, folder]);
      if (this.#stored.has(key)) continue;
      const file = new FactsFile(lintFolder(this.#store.folder), [this.#store.build, process.version, process.arch, "editor", folder, prefix]);
      await file.read();
      this.#stored.set(key, { prefix, file });
    }
  }

  /** Whether what is kept of a file was read of these bytes. */
  has(path: string, digest: string): boolean {
    return this.#files.get(path)?.digest === digest;
  }

  /** A file of a workspace path whose bytes have the digest. */
  at(path: string, digest: string): FileAtHand {
    const bytes = this.#bytesOf(path, digest);
    const known = bytes === undefined ? undefined : decoded(path, bytes, this.#late);
    return { known, keep: (facts) => this.#keep(path, digest, facts, known === undefined ? undefined : bytes) };
  }

  drop(path: string): void {
    this.#bytes -= this.#files.get(path)?.facts?.length ?? 0;
    this.#files.delete(path);
  }

  /** Keeps for the next window what is known of the files of these paths. */
  async save(paths: readonly string[]): Promise<void> {
    try {
      for (const { prefix, file } of this.#stored.values()) {
        const within = new Set(paths.filter((path) => path.startsWith(prefix)));
        const read = [...within].flatMap((path): ReadFacts[] => {
          const { digest, facts } = this.#files.get(path) ?? {};
          return digest === undefined || facts === undefined ? [] : [{ path, digest, facts }];
        });
        await file.write(within, read);
      }
      if (this.#store !== undefined) await tidy(lintFolder(this.#store.folder));
    } catch {
      // The next window reads the files again, and that is all.
    }
  }

  /** Forgets what was made of the bytes once it is much; true when it was. */
  trim(): boolean {
    if (this.#late.madeBytes <= this.#limits.madeBytes) return false;
    this.#late.forget();
    return true;
  }

  #bytesOf(path: string, digest: string): Uint8Array<ArrayBuffer> | undefined {
    const here = this.#files.get(path);
    if (here?.digest === digest) return here.facts;
    for (const { file } of this.#stored.values()) {
      const stored = file.known.get(path);
      if (stored?.digest === digest) return stored.facts;
    }
    return undefined;
  }

  #keep(path: string, digest: string, facts: unknown, known: Uint8Array<ArrayBuffer> | undefined): unknown {
    this.drop(path);
    // Scripts and configuration tell nothing of others; they have only findings.
    if (!isOf(path, facts)) {
      this.#files.set(path, { digest, facts: undefined });
      return facts;
    }
    const bytes = known ?? this.#encoder.encode(facts);
    if (known === undefined) this.#encoded++;
    if (this.#bytes + bytes.length > this.#limits.allBytes) return undefined;
    this.#bytes += bytes.length;
    this.#files.set(path, { digest, facts: bytes });
    return known === undefined ? decodeFacts(bytes, this.#late) : facts;
  }
}

/** What was kept of the file, unless it is another one's, or damaged. */
function decoded(path: string, bytes: Uint8Array, late: KeptFacts): unknown {
  try {
    const facts = decodeFacts(bytes, late);
    return isOf(path, facts) ? facts : undefined;
  } catch {
    return undefined;
  }
}

function isOf(path: string, facts: unknown): boolean {
  return typeof facts === "object" && facts !== null && "path" in facts && facts.path === path;
}
