import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** What the probe does with an activation: take its time, or count what it touches, which takes time itself. */
export type ProbeKind = "time" | "count";

/** What `probe.cjs` saw of one activation. */
export interface SeenActivation {
  readonly kind: ProbeKind;
  readonly loadMs: number;
  readonly activateMs: number;
  /** What of both the thread had the processor. */
  readonly processorMs: number;
  /** Files of our code that were loaded when `activate` had returned, and 1.5 seconds later. */
  readonly filesAtActivation: readonly string[];
  readonly filesAfter: readonly string[];
  /** Loading what every window loads once `activate` has returned. */
  readonly window?: { readonly clockMs: number; readonly processorMs: number };
  /** The host's longest block in those 1.5 seconds, whoever's. */
  readonly longestBlockAfterMs: number;
  /** Calls to files, networks and processes with a frame of ours below them. */
  readonly calls: readonly { readonly phase: "load" | "activate" | "after"; readonly what: string; readonly about: string; readonly afterMs: number }[];
}

/** A home for a workbench (`keepUserData`) in which the measuring extension is installed; removed with this process. */
export class ProbedHome {
  readonly folder: string;
  readonly #probe: string;

  /** `activations`: the probe activates our extension by itself, shortly after the window has started, and looks at that. */
  constructor(root: string, activations?: ProbeKind) {
    this.folder = mkdtempSync(path.join(tmpdir(), "flink-savepoints-probed-"));
    process.once("exit", () => rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 }));
    this.#probe = path.join(this.folder, "extensions", "rig.probe-0.0.1");
    mkdirSync(this.#probe, { recursive: true });
    copyFileSync(path.join(root, "test", "ui", "support", "probe.cjs"), path.join(this.#probe, "probe.cjs"));
    writeFileSync(path.join(this.#probe, "package.json"), JSON.stringify({ name: "probe", publisher: "rig", version: "0.0.1", engines: { vscode: "^1.101.0" }, main: "./probe.cjs", activationEvents: ["*"] }));
    if (activations !== undefined) this.look(activations);
  }

  /** What the probe does with the activations of windows that open from now on. */
  look(kind: ProbeKind): void {
    writeFileSync(path.join(this.#probe, "activate"), kind);
  }

  /** Every activation so far. Throws when the probe could not measure. */
  activations(): readonly SeenActivation[] {
    const lines = this.#lines<SeenActivation & { readonly error?: string }>("activation.jsonl");
    for (const { error } of lines) if (error !== undefined) throw new Error(error);
    return lines;
  }

  /** The longest time that the host's event loop was blocked between two moments (epoch milliseconds), or undefined when nothing was noted. */
  longestBlockMs(fromMs: number, toMs: number): number | undefined {
    const within = this.#lines<{ readonly atMs: number; readonly longestMs: number }>("loop.jsonl").filter(({ atMs }) => atMs >= fromMs && atMs <= toMs + 1_000);
    return within.length === 0 ? undefined : Math.max(...within.map(({ longestMs }) => longestMs));
  }

  #lines<T>(name: string): T[] {
    const file = path.join(this.#probe, name);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    // The last line may still be being written.
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line) as T);
  }
}
