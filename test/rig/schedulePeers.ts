import { execFile } from "node:child_process";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { prepareJars, readJarList } from "../../src/clients/localFlink/jars";
import { cacheFolder, plainHttp, quietLog, rootFolder, unwatched } from "./flink";

/** What schedules are compared with: Quartz, and the API of Flink's operator with its custom resource definitions. Paths of their jars. */
export async function schedulePeers(): Promise<{ readonly quartz: string; readonly operatorApi: string }> {
  const http = plainHttp();
  try {
    const list = await readJarList(path.join(await rootFolder(), "test", "rig", "quartz"), "quartz-2.5.0");
    const [quartz = "", operatorApi = ""] = await prepareJars(list, { cacheFolder, mavenRepository: "", homeFolder: homedir(), env: process.env, http, log: quietLog }, unwatched());
    return { quartz, operatorApi };
  } finally {
    http.dispose();
  }
}

/** A schedule in Quartz's triggers, and the stretch of time in which its runs are asked for, epoch milliseconds. */
export interface QuartzQuestion {
  readonly zone: string;
  readonly triggers: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly atMost: number;
}

/** The runs that Quartz's own `CronExpression` finds for each question: see test/jobs/quartz. */
export async function quartzRuns(quartz: string, questions: readonly QuartzQuestion[]): Promise<number[][]> {
  const home = process.env["JAVA_HOME"];
  const running = promisify(execFile)(home === undefined ? "java" : path.join(home, "bin", "java"), ["-Xmx256m", "-cp", quartz, path.join(await rootFolder(), "test", "jobs", "quartz", "CronRuns.java")], { maxBuffer: 256 << 20 });
  running.child.stdin?.end(questions.map(({ zone, triggers, fromMs, untilMs, atMost }) => [zone, fromMs, untilMs, atMost, triggers.join("|")].join("\t")).join("\n"));
  const { stdout } = await running;
  return stdout.split("\n").slice(0, questions.length).map((line) => (line === "" ? [] : line.split(",").map(Number)));
}

/** A file of a jar as text. */
export async function textInJar(jar: string, file: string): Promise<string> {
  return (await promisify(execFile)("unzip", ["-p", jar, file], { maxBuffer: 64 << 20 })).stdout;
}
