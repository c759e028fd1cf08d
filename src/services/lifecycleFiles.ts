import { Emitter } from "../core/base/event";
import type { Disposable } from "../core/base/disposable";
import type { LoadedFile } from "../core/lifecycle/inForce";
import { readLifecycleFile } from "../core/lifecycle/readLifecycleFile";
import type { Log } from "../core/ports";

/** A file's text, from whoever may read it: of a workspace that is not trusted none is passed. */
export type LifecycleText = Omit<LoadedFile, "file"> & { readonly text: string };

/** The files of schedules and cleanup rules that count in this process. */
export class LifecycleFiles implements Disposable {
  readonly #log: Log;
  readonly #changed: Emitter<undefined>;
  #texts: readonly LifecycleText[] = [];
  #files: readonly LoadedFile[] = [];

  /** Fires when any of them changed. */
  readonly onDidChange;

  constructor(log: Log) {
    this.#log = log;
    this.#changed = new Emitter((error) => log.error("a listener to files of schedules", error));
    this.onDidChange = this.#changed.event;
  }

  /** Workspaces' first, in their order. */
  files(): readonly LoadedFile[] {
    return this.#files;
  }

  /** The texts that they were read from. */
  texts(): readonly LifecycleText[] {
    return this.#texts;
  }

  set(texts: readonly LifecycleText[]): void {
    if (JSON.stringify(texts) === JSON.stringify(this.#texts)) return;
    this.#texts = texts;
    this.#files = texts.map(({ path, level, text }) => ({ path, level, file: readLifecycleFile(text) }));
    for (const { path, file } of this.#files) for (const { at, message } of file.problems) this.#log.warn(`${path}${at === "" ? "" : `, ${at}`}: ${message}`);
    this.#changed.fire(undefined);
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
