import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { isAbort, mapLimit } from "../../core/base/async";
import { FlinkError, isFlinkError } from "../../core/errors";
import { jarListSchema, jarName, listTitle, localRepository, type JarList, type ListedJar } from "../../core/localFlink/jarList";
import type { Log, Run } from "../../core/ports";
import { sizeText } from "../../core/wording";
import type { Http } from "../http";
import { fetchByMaven } from "./maven";

/** Where jars come from and go to. */
export interface JarSources {
  /** Gets `<version>/lib`. May be shared by any number of processes. */
  readonly cacheFolder: string;
  /** Address of a Maven repository; empty: `mvn`. */
  readonly mavenRepository: string;
  readonly homeFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly http: Pick<Http, "send">;
  readonly log: Log;
}

/** Reads `<version>.json` of a folder of jar lists. */
export async function readJarList(listsFolder: string, version: string): Promise<JarList> {
  return jarListSchema.parse(JSON.parse(await fs.readFile(path.join(listsFolder, `${version}.json`), "utf8")));
}

/**
 * Makes all jars of a list lie in the cache and resolves to their paths, in the order of the list. Takes from the local Maven repository what
 * it has, the rest from `mavenRepository` or else through `mvn`. Every jar is checked against its listed SHA-256 on every call, also those
 * that lay there. Throws `local-flink-jars-missing`, `local-flink-jar-corrupt`, `setting-invalid`, or the signal's reason; leaves no half-written file.
 */
export async function prepareJars(list: JarList, sources: JarSources, run: Run): Promise<readonly string[]> {
  const lib = path.join(sources.cacheFolder, list.version, "lib");
  const repositoryUrl = sources.mavenRepository === "" ? undefined : parseRepository(sources.mavenRepository);
  await fs.mkdir(lib, { recursive: true });
  let missing = await keepOnly(list.jars, async (jar) => !(await isSound(jar, path.join(lib, jarName(jar)), sources, run)));
  if (missing.length > 0) {
    const part = path.join(sources.cacheFolder, list.version, `part-${randomUUID()}`);
    await removeOldParts(path.dirname(part));
    await fs.mkdir(part);
    try {
      const repository = await findRepository(sources);
      const progress = progressOf(listTitle(list), missing, run);
      missing = await keepOnly(missing, async (jar) => !(await takeLocal(jar, repository, { lib, part }, sources, run, progress)));
      let tried = repository;
      if (missing.length > 0) {
        const reason = repositoryUrl === undefined
          ? await fetchByMaven(missing, { folder: part, env: sources.env, log: sources.log }, run, (name) => progress(name))
          : await download(missing, repositoryUrl, part, sources, run, progress);
        tried += `; ${reason}`;
        const origin = (jar: ListedJar): string => repositoryUrl === undefined ? path.join(repository, jar.path) : `${repositoryUrl}/${jar.path}`;
        missing = await keepOnly(missing, async (jar) => !(await install(jar, path.join(part, jarName(jar)), origin(jar), lib, run.signal)));
      }
      if (missing.length > 0) throw new FlinkError("local-flink-jars-missing", { what: listTitle(list), missing: missing.map(jarName), tried });
    } finally {
      await fs.rm(part, { recursive: true, force: true });
    }
  }
  return list.jars.map((jar) => path.join(lib, jarName(jar)));
}

/** SHA-256 of a file in hex, or undefined when there is no such file. */
async function sha256Of(file: string, signal: AbortSignal): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash, { signal });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return hash.digest("hex");
}

/** True when the cache has the jar. A damaged one is removed, so that it is fetched again and never used. */
async function isSound(jar: ListedJar, file: string, sources: JarSources, run: Run): Promise<boolean> {
  const actual = await sha256Of(file, run.signal);
  if (actual === undefined || actual === jar.sha256) return actual !== undefined;
  sources.log.warn(`${file} is damaged (SHA-256 ${actual} instead of ${jar.sha256}) and is fetched again.`);
  await fs.rm(file, { force: true });
  return false;
}

/** Links (or copies) the jar from the local Maven repository; false when it is not there or not the listed one. */
async function takeLocal(jar: ListedJar, repository: string, folders: { lib: string; part: string }, sources: JarSources, run: Run, progress: Progress): Promise<boolean> {
  const source = path.join(repository, jar.path);
  const actual = await sha256Of(source, run.signal);
  if (actual === undefined) return false;
  if (actual !== jar.sha256) {
    sources.log.warn(`${source} is not the released jar (SHA-256 ${actual} instead of ${jar.sha256}) and is not used.`);
    return false;
  }
  const copy = path.join(folders.part, jarName(jar));
  // A second link costs no space; another file system or a strict one gets a copy.
  await fs.link(source, copy).catch(() => fs.copyFile(source, copy));
  await install(jar, copy, source, folders.lib, run.signal);
  progress(jarName(jar));
  return true;
}

/** Checks a fetched jar and gives it its name in the cache; false when it was not fetched. Throws `local-flink-jar-corrupt`, naming its origin. */
async function install(jar: ListedJar, file: string, origin: string, lib: string, signal: AbortSignal): Promise<boolean> {
  const actual = await sha256Of(file, signal);
  if (actual === undefined) return false;
  if (actual !== jar.sha256) throw new FlinkError("local-flink-jar-corrupt", { file: origin, expected: jar.sha256, actual });
  await fs.rename(file, path.join(lib, jarName(jar)));
  return true;
}

/** Fetches into a folder over HTTP; resolves to what was tried, in words. */
async function download(jars: readonly ListedJar[], repository: string, folder: string, sources: JarSources, run: Run, progress: Progress): Promise<string> {
  let failure = "";
  await allOrFirstError(jars, async (jar) => {
    if (failure !== "") return;
    try {
      const answer = await sources.http.send({ method: "GET", url: `${repository}/${jar.path}`, limitBytes: jar.sizeBytes }, run.signal);
      if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`);
      await fs.writeFile(path.join(folder, jarName(jar)), answer.body, { signal: run.signal });
      progress(jarName(jar));
    } catch (error) {
      if (isAbort(error) || run.signal.aborted) throw error;
      // One that is longer than listed is another file: said below, as for one with another content.
      if (isFlinkError(error, "reply-too-large")) throw new FlinkError("local-flink-jar-corrupt", { file: `${repository}/${jar.path}`, expected: jar.sha256, actual: `more than ${jar.sizeBytes} bytes` }, { cause: error });
      failure ||= `${jarName(jar)}: ${isFlinkError(error) ? reasonOf(error) : (error as Error).message}`;
      sources.log.warn(`Could not get ${jar.path} from ${repository}.`, error);
    }
  });
  return failure === "" ? repository : `${repository} (${failure})`;
}

function reasonOf(error: FlinkError): string {
  const { reason, status } = error.facts as { reason?: string; status?: number };
  return reason ?? (status === undefined ? error.code : `HTTP ${status}`);
}

type Progress = (name: string) => void;

/** Reports by bytes, since one jar is a third of all. */
function progressOf(what: string, jars: readonly ListedJar[], run: Run): Progress {
  const totalBytes = jars.reduce((sum, jar) => sum + jar.sizeBytes, 0);
  const sizes = new Map(jars.map((jar) => [jarName(jar), jar.sizeBytes]));
  let doneBytes = 0;
  const report = (): void => run.report({ message: `Fetching ${what}: ${sizeText(doneBytes)} of ${sizeText(totalBytes)}`, percent: Math.floor((100 * doneBytes) / totalBytes) });
  report();
  return (name) => {
    const sizeBytes = sizes.get(name);
    if (sizeBytes === undefined || !sizes.delete(name)) return;
    doneBytes += sizeBytes;
    report();
  };
}

async function findRepository(sources: JarSources): Promise<string> {
  const settings = await fs.readFile(path.join(sources.homeFolder, ".m2", "settings.xml"), "utf8").catch(() => "");
  return localRepository(settings, sources.homeFolder, sources.env);
}

/** The repository's address without a trailing slash. */
function parseRepository(text: string): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  const fault = url === undefined || !/^https?:$/.test(url.protocol) ? "must be an http:// or https:// address"
    : url.username !== "" || url.password !== "" ? "must not hold a user name or password"
    : undefined;
  if (url === undefined || fault !== undefined) throw new FlinkError("setting-invalid", { setting: "localFlink.mavenRepository", problem: fault ?? "" });
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Half-fetched folders of processes that were killed; a day is longer than any fetch. */
async function removeOldParts(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    const old = path.join(folder, name);
    const stat = name.startsWith("part-") ? await fs.stat(old).catch(() => undefined) : undefined;
    if (stat !== undefined && Date.now() - stat.mtimeMs > 24 * 3600_000) await fs.rm(old, { recursive: true, force: true });
  }
}

async function keepOnly<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept = await allOrFirstError(items, test);
  return items.filter((_, at) => kept[at]);
}

/** Maps four at a time. After a failure nothing new begins, and what had begun has ended before this rejects: so nobody writes into a folder that is being removed. */
async function allOrFirstError<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<(R | undefined)[]> {
  const errors: unknown[] = [];
  const results = await mapLimit(items, 4, async (item) => (errors.length > 0 ? undefined : map(item).catch((error: unknown) => void errors.push(error))));
  if (errors.length > 0) throw errors[0];
  return results as (R | undefined)[];
}
