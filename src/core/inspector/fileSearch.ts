import { mapLimit } from "../base/async";
import type { Metadata } from "../metadata/metadata";
import type { RandomAccess } from "../metadata/randomAccess";
import { referencedFiles, type ReferencedFile, type ReferencedFiles } from "../metadata/referencedFiles";
import { localPath } from "../model/location";
import type { FilesSeen } from "./protocol";

/** Size of a local file in bytes; undefined when it is not there. Nothing of it is read. */
export type LookAtFile = (path: string) => Promise<number | undefined>;

const looksAtOnce = 16;
const batchFiles = 256;
const stepMs = 150;
const mostExamples = 200;

type Found = "there" | "missing" | "short" | "elsewhere" | "unsafe";

/** Looks for the files that a metadata names, a fraction of a second at a time, so that whoever asks can stop by asking no more. */
export class FileSearch {
  readonly #list: (signal: AbortSignal) => Promise<ReferencedFiles>;
  readonly #look: LookAtFile;
  readonly #counts: Record<Found, number> = { there: 0, missing: 0, short: 0, elsewhere: 0, unsafe: 0 };
  readonly #examples: { path: string; what: "missing" | "short" | "unsafe" }[] = [];
  #files: ReferencedFiles | undefined;
  #looked = 0;

  constructor(bytes: RandomAccess, metadata: Metadata, folder: string, look: LookAtFile) {
    this.#list = (signal) => referencedFiles(bytes, metadata, folder, { signal });
    this.#look = look;
  }

  /** Looks on for a while; resolves to all that was seen so far. Throws what reading throws. */
  async lookOn(now: () => number, signal: AbortSignal): Promise<FilesSeen> {
    const { files, complete } = (this.#files ??= await this.#list(signal));
    for (const endMs = now() + stepMs; this.#looked < files.length && now() < endMs;) {
      signal.throwIfAborted();
      const batch = files.slice(this.#looked, this.#looked + batchFiles);
      const found = await mapLimit(batch, looksAtOnce, (file) => this.#find(file));
      this.#looked += batch.length;
      found.forEach((what, i) => {
        this.#counts[what]++;
        if (what !== "there" && what !== "elsewhere" && this.#examples.length < mostExamples) this.#examples.push({ path: batch[i]?.location ?? "", what });
      });
    }
    const { missing, short, elsewhere, unsafe } = this.#counts;
    return { total: files.length, looked: this.#looked, missing, short, elsewhere, unsafe, examples: [...this.#examples], complete, done: this.#looked >= files.length };
  }

  async #find({ relation, location, candidates, sizeBytes, part }: ReferencedFile): Promise<Found> {
    if (relation === "unsafe") return "unsafe";
    let isLocal = false;
    for (const candidate of new Set([...candidates, location])) {
      const place = localPath(candidate);
      if (place === undefined) continue;
      isLocal ||= candidate === location;
      const actual = await this.#look(place);
      // The length of a changelog's content is not that of its file.
      if (actual !== undefined) return sizeBytes !== null && part !== "changelog" && BigInt(actual) < sizeBytes ? "short" : "there";
    }
    return isLocal ? "missing" : "elsewhere";
  }
}
