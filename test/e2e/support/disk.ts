import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

// A test file that is ended from outside goes through "exit" all the same, where Flinks, processes, mounts and folders are cleared away.
for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) process.once(signal, () => process.exit(code));

/** A folder `savepoint-…` on this machine. */
export interface FolderOnDisk {
  readonly path: string;
  readonly hasMetadata: boolean;
}

/** Savepoint folders directly below a directory, by name; none when it is missing. */
export function savepointFolders(directory: string): FolderOnDisk[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names.filter((name) => name.startsWith("savepoint-")).sort().map((name) => {
    const folder = path.join(directory, name);
    return { path: folder, hasMetadata: readdirSync(folder).includes("_metadata") };
  });
}

/** The path on this machine that a `file:` location of Flink names; Flink writes paths as they are, without percent-encoding. */
export function onDisk(location: string): string {
  return location.replace(/^file:\/*/, "/").replace(/\/+$/, "");
}

/** A folder of one test, removed with the process. */
export function scratchFolder(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `flink-savepoints-${name}-`));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** The files by which a running test job is told to be slow or to fail. */
export class Controls {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder, for a job that is to be started with it. */
  make(): void {
    mkdirSync(this.folder, { recursive: true });
  }

  on(name: "fail-snapshot" | "fail-process" | "fail-restore" | "fail-commit" | "hang-source" | "hold-snapshot"): void {
    writeFileSync(path.join(this.folder, name), "");
  }

  /** How long each snapshot of the job takes, milliseconds. */
  slow(ms: number): void {
    writeFileSync(path.join(this.folder, "sleep-ms"), String(ms));
  }

  off(): void {
    for (const name of readdirSync(this.folder)) rmSync(path.join(this.folder, name));
  }
}

/** How many timers of the test job have fired that fire only when it is drained. */
export function drainedTimers(outFolder: string): number {
  const files = readdirSync(outFolder).filter((name) => !name.endsWith(".tmp"));
  return files.flatMap((name) => readFileSync(path.join(outFolder, name), "utf8").split("\n")).filter((line) => line.endsWith(" -1")).length;
}
