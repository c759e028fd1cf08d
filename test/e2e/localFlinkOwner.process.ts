import * as path from "node:path";
import { createLocalFlink } from "../../src/clients/localFlink/localFlink";
import { systemClock } from "../../src/core/base/async";
import { isFlinkError } from "../../src/core/errors";
import type { LocalFlinkOptions } from "../../src/core/localFlink/localFlink";
import { cacheFolder, plainHttp, quietLog, rootFolder } from "../rig/flink";

/**
 * Stands for a window: starts the local Flink of a folder, says how it went in one line of JSON, and lives on until it is killed or told
 * to leave by the end of its input.
 */
const { folder, options } = JSON.parse(process.argv[2] ?? "") as { folder: string; options: LocalFlinkOptions };
const local = createLocalFlink({ folder, cacheFolder, listsFolder: path.join(await rootFolder(), "media", "flink"), clock: systemClock, log: quietLog, http: plainHttp() });
const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
process.stdin.resume().on("end", () => void local.leave().then(() => process.exit(0)));
try {
  const report = (step: { message: string }): void => void say({ step: step.message });
  say({ url: (await local.start(options, { signal: new AbortController().signal, report })).url });
} catch (error) {
  say({ error: isFlinkError(error) ? error.code : String(error) });
}
