import { mapLimit } from "../base/async";
import { liesBelow, localPath, normaliseLocation } from "../model/location";
import type { Metadata } from "../metadata/metadata";
import type { RandomAccess } from "../metadata/randomAccess";
import { filesOf, type NamedFile } from "./filesOf";
import type { FilesSeen } from "./protocol";

/** Size of a local file in bytes; undefined when it is not there. */
export type LookAtFile = (path: string) => Promise<number | undefined>;

const filesAtOnce = 64;
const looksAtOnce = 16;
const stepMs = 150;
const mostExamples = 200;

type Found = "there" | "missing" | "short" | "elsewhere" | "unsafe";

/** Looks for the files that a metadata names, a fraction of a second at a time, so that whoever asks can stop by asking no more. */
export class FileSearch {
  readonly #folder: string;
  readonly #look: LookAtFile;
  readonly #files: AsyncIterator<NamedFile> | undefined;
  readonly #counts: Record<Found, number> = { there: 0, missing: 0, short: 0, elsewhere: 0, unsafe: 0 };
  readonly #examples: { path: string; what: "missing" | "short" | "unsafe" }[] = [];
  #done = false;

  constructor(bytes: RandomAccess, metadata: Metadata | undefined, location: string, look: LookAtFile) {
    this.#folder = normaliseLocation(location);
    this.#look = look;
    this.#files = metadata === undefined ? undefined : filesOf(bytes, metadata);
  }

  /** Looks on for a while; resolves to all that was seen so far. Throws what reading throws. */
  async lookOn(now: () => number, signal: AbortSignal): Promise<FilesSeen> {
    const endMs = now() + stepMs;
    while (!this.#done && now() < endMs) {
      signal.throwIfAborted();
      const batch: NamedFile[] = [];
      while (batch.length < filesAtOnce && !this.#done) {
        const next = await this.#files?.next();
        if (next === undefined || next.done === true) this.#done = true;
        else batch.push(next.value);
      }
      await mapLimit(batch, looksAtOnce, async (file) => {
        const found = await this.#find(file);
        this.#counts[found]++;
        if ((found === "missing" || found === "short" || found === "unsafe") && this.#examples.length < mostExamples) this.#examples.push({ path: file.path, what: found });
      });
    }
    const { there, missing, short, elsewhere, unsafe } = this.#counts;
    return { looked: there + missing + short + elsewhere + unsafe, missing, short, elsewhere, unsafe, examples: [...this.#examples], done: this.#done };
  }

  async #find({ path, relative, neededBytes }: NamedFile): Promise<Found> {
    const location = relative ? `${this.#folder}/${path}` : path;
    if (relative && !liesBelow(this.#folder, location)) return "unsafe";
    const local = localPath(location);
    if (local === undefined) return "elsewhere";
    const sizeBytes = await this.#look(local);
    return sizeBytes === undefined ? "missing" : neededBytes !== null && sizeBytes < neededBytes ? "short" : "there";
  }
}
