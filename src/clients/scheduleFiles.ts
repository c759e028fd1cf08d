import { randomBytes } from "node:crypto";
import { open, readFile, rename, unlink } from "node:fs/promises";
import path from "node:path";
import { FlinkError } from "../core/errors";
import { stableId } from "../core/base/murmur3";
import type { Log, ScheduleStates } from "../core/ports";
import { scheduleStateSchema, type ScheduleState } from "../core/schedule/scheduleState";
import { errnoOf, makeFolder, syncFolder } from "./atomicFile";

/** States of schedules as one file each in a folder, written whole and put in place in one step. */
export function openScheduleStates(folder: string, log: Log): ScheduleStates {
  const fileOf = (key: string): string => path.join(folder, `${stableId(key)}.json`);
  return {
    get: async (key) => {
      const file = fileOf(key);
      try {
        const read = scheduleStateSchema.safeParse(JSON.parse(await readFile(file, "utf8")));
        if (read.success && read.data.key === key) return read.data;
        log.warn(`${file} is no state of ${key} and is begun anew`);
      } catch (error) {
        if (errnoOf(error) !== "ENOENT") log.warn(`${file} can't be read and is begun anew`, error);
      }
      return undefined;
    },
    put: async (state) => {
      try {
        await replace(fileOf(state.key), state);
      } catch (error) {
        throw new FlinkError("ledger-unwritable", { folder, reason: errnoOf(error) ?? String(error) }, { cause: error });
      }
    },
  };
}

async function replace(file: string, state: ScheduleState): Promise<void> {
  const folder = path.dirname(file);
  const draft = `${file}.${randomBytes(4).toString("hex")}.draft`;
  await makeFolder(folder);
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(state, null, 1)}\n`, "utf8");
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  await syncFolder(folder);
}
