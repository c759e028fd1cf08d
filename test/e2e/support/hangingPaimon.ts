import { execFileSync } from "node:child_process";
import { constants, linkSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";

/** Has Paimon hang where it reads the newest schema of a table, by a pipe to which nobody writes; this program passes over what is no file. */
export function hangOn(schemas: string): { release(): void } {
  const file = path.join(schemas, "schema-1");
  const held = path.join(schemas, "held");
  execFileSync("mkfifo", [file]);
  linkSync(file, held);
  let isReleased = false;
  return {
    release() {
      if (isReleased) return;
      isReleased = true;
      const text = readFileSync(path.join(schemas, "schema-0"), "utf8").replace(/"id" : 0,/, "\"id\" : 1,");
      writeFileSync(path.join(schemas, "draft"), text);
      renameSync(path.join(schemas, "draft"), file);
      // For whoever has opened it already; that nobody has is no fault.
      void writeFile(held, text, { flag: constants.O_WRONLY | constants.O_NONBLOCK }).catch(() => undefined);
    },
  };
}
