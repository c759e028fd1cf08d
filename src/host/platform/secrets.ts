import type { SecretStorage } from "vscode";
import * as z from "zod";
import { KeyedQueue } from "../../core/base/async";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import { FlinkError } from "../../core/errors";
import type { Credential, Credentials, Log, Vault } from "../../core/ports";

const credentialSchema = z.lazy(() => z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("basic"), user: z.string(), password: z.string() }),
  z.object({ kind: z.literal("bearer"), token: z.string() }),
  z.object({ kind: z.literal("certificate"), certPem: z.string(), keyPem: z.string(), passphrase: z.string().optional() }),
]));
const storedSchema = z.lazy(() => z.array(credentialSchema));

const prefix = "credentials:";

/** Credentials in the editor's SecretStorage, one entry per origin. Nothing of their content is ever logged. */
export class StoredCredentials implements Credentials, Disposable {
  readonly #secrets: SecretStorage;
  readonly #log: Log;
  readonly #queue = new KeyedQueue();
  readonly #cache = new Map<string, Promise<readonly Credential[]>>();
  readonly #held = new DisposableStore();

  constructor(secrets: SecretStorage, log: Log) {
    this.#secrets = secrets;
    this.#log = log;
    this.#held.add(secrets.onDidChange(({ key }) => this.#cache.delete(key.slice(prefix.length))));
  }

  get(origin: string): Promise<readonly Credential[]> {
    let read = this.#cache.get(origin);
    if (read === undefined) {
      read = this.#read(origin);
      this.#cache.set(origin, read);
      read.catch(() => this.#cache.delete(origin));
    }
    return read;
  }

  set(origin: string, credential: Credential): Promise<void> {
    return this.#queue.run(origin, async () => {
      const kept = (await this.#read(origin)).filter((other) => other.kind !== credential.kind);
      await Promise.resolve(this.#secrets.store(prefix + origin, JSON.stringify([...kept, credential]))).catch(unavailable);
      this.#cache.delete(origin);
    });
  }

  delete(origin: string): Promise<void> {
    return this.#queue.run(origin, async () => {
      await Promise.resolve(this.#secrets.delete(prefix + origin)).catch(unavailable);
      this.#cache.delete(origin);
    });
  }

  dispose(): void {
    this.#held.dispose();
    this.#cache.clear();
  }

  async #read(origin: string): Promise<readonly Credential[]> {
    const text = await Promise.resolve(this.#secrets.get(prefix + origin)).catch(unavailable);
    if (text === undefined) return [];
    try {
      return storedSchema.parse(JSON.parse(text)) as Credential[];
    } catch {
      this.#log.warn(`the stored credentials for ${origin} can't be read and are not used; set them again`);
      return [];
    }
  }
}

/** SecretStorage as a `Vault`; its keys share the storage with the credentials and begin otherwise. */
export function vaultOf(secrets: SecretStorage): Vault {
  return {
    get: async (key) => Promise.resolve(secrets.get(`vault ${key}`)).catch(unavailable),
    set: async (key, value) => Promise.resolve(secrets.store(`vault ${key}`, value)).catch(unavailable),
    delete: async (key) => Promise.resolve(secrets.delete(`vault ${key}`)).catch(unavailable),
  };
}

function unavailable(error: unknown): never {
  throw new FlinkError("secrets-unavailable", { reason: error instanceof Error ? error.message : String(error) }, { cause: error });
}
