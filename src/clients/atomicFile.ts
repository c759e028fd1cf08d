import { randomBytes } from "node:crypto";
import { readFile as readFileWithCallback } from "node:fs";
import { link, mkdir, open, rename, rm, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

/**
 * How a draft becomes visible: in one step, complete, and never in place of something else.
 * `link`: a hard link, which fails when the name is taken. `folder`: for file systems without hard links (FAT, some network shares);
 * the file becomes a folder that holds the text, since renaming a folder onto one that is not empty fails everywhere.
 */
export type PublishWay = "link" | "folder";

/** What became of an attempt to publish. `withdrawn`: somebody removed the draft. `no-links`: the file system has no hard links. */
export type Published = "published" | "taken" | "withdrawn" | "no-links";

/** Costs half of what `node:fs/promises` does, which makes a handle for each file: ten thousand are read in a row. */
const readFile = promisify(readFileWithCallback);

/** What is on its way out: anybody may remove it at any time. */
export const trashSuffix = ".trash";

/** The text within a published folder. */
const inner = "record.json";

/** A file being prepared under a name of its own, in a folder on the same file system as its target. */
export class Draft {
  readonly #path: string;
  readonly #way: PublishWay;

  private constructor(file: string, way: PublishWay) {
    this.#path = file;
    this.#way = way;
  }

  /** Makes the empty draft, and the folder it lies in when that is missing. Rejects with Node's error when it cannot. */
  static async open(file: string, way: PublishWay): Promise<Draft> {
    try {
      await make(file, way);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      await makeFolder(path.dirname(file));
      await make(file, way);
    }
    return new Draft(file, way);
  }

  /**
   * Writes the text, flushes it to the disk, and then gives it its final name, unless that is taken. Once per draft.
   * The new name itself is not flushed yet: that is `syncFolder`. Rejects with Node's error.
   */
  async publish(text: string, target: string): Promise<Published> {
    try {
      await this.#fill(text);
      return await (this.#way === "link" ? this.#link(target) : this.#rename(target));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return "withdrawn";
      throw error;
    }
  }

  /** Removes the draft; quiet when it is gone already, or cannot be removed. */
  async withdraw(): Promise<void> {
    await remove(this.#path).catch(() => undefined);
  }

  async #fill(text: string): Promise<void> {
    const handle = await open(this.#way === "link" ? this.#path : path.join(this.#path, inner), this.#way === "link" ? "r+" : "wx");
    try {
      await handle.writeFile(text, "utf8");
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (this.#way === "folder") await syncFolder(this.#path);
  }

  async #link(target: string): Promise<Published> {
    try {
      await link(this.#path, target);
      return "published";
    } catch (error) {
      const code = errnoOf(error);
      // A network file system may repeat a request whose answer was lost, and then finds our own link: two names are the proof.
      if (code === "EEXIST") return (await stat(this.#path).catch(() => undefined))?.nlink === 2 ? "published" : "taken";
      if (code !== undefined && noLinks.has(code)) return "no-links";
      throw error;
    }
  }

  async #rename(target: string): Promise<Published> {
    try {
      await rename(this.#path, target);
      return "published";
    } catch (error) {
      // How a taken name is called differs (ENOTEMPTY, EEXIST, ENOTDIR, and EPERM on Windows): look instead.
      if (errnoOf(error) !== "ENOENT" && await exists(target)) return "taken";
      throw error;
    }
  }
}

/** EPERM is Linux's answer on FAT; EISDIR is what Node makes of Windows' ERROR_INVALID_FUNCTION. */
const noLinks: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EISDIR", "EXDEV"]);

/** Reads a published text, in either form. Rejects with Node's error; ENOENT when it is gone. */
export async function readPublished(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) !== "EISDIR" && !(process.platform === "win32" && errnoOf(error) === "EPERM")) throw error;
    return readFile(path.join(file, inner), "utf8");
  }
}

/** Removes a published text or a draft, in either form, in one step as seen by others. Rejects with Node's error; quiet when it is gone. */
export async function remove(file: string, trashFolder: string = path.dirname(file)): Promise<void> {
  try {
    await unlink(file);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT") return;
    if (code !== "EISDIR" && code !== "EPERM") throw error;
    // An emptied folder could be taken for a free name, so it leaves under another name first.
    const trash = path.join(trashFolder, `${randomBytes(8).toString("hex")}${trashSuffix}`);
    await mkdir(trashFolder, { recursive: true });
    await rename(file, trash).catch((cause: unknown) => {
      if (errnoOf(cause) !== "ENOENT") throw cause;
    });
    await rm(trash, { recursive: true, force: true });
  }
}

/** Makes a folder with its parents, readable by this user only, in such a way that it survives a power cut. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; ; made = path.dirname(made)) {
    await syncFolder(path.dirname(made));
    if (path.relative(made, first) === "" || path.dirname(made) === made) return;
  }
}

/** Flushes a folder's entries to the disk, where the system can: Windows has no such call and needs none for its journal. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems refuse to flush a folder; they write through.
    if (errnoOf(error) !== "EINVAL" && errnoOf(error) !== "ENOTSUP" && errnoOf(error) !== "EOPNOTSUPP") throw error;
  } finally {
    await handle.close();
  }
}

/** The code of a system error, such as ENOENT; undefined for every other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

async function make(file: string, way: PublishWay): Promise<void> {
  if (way === "folder") await mkdir(file);
  else await (await open(file, "wx", 0o600)).close();
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(() => true, () => false);
}
