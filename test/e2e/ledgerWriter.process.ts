import { writeSync } from "node:fs";
import { openLedger } from "../../src/clients/ledgerFiles";
import { mapLimit, systemClock } from "../../src/core/base/async";
import { isFlinkError } from "../../src/core/errors";
import type { SavepointRecord } from "../../src/core/ledger/record";
import { savepointRecord } from "../unit/ledgerSamples";

/**
 * Writes to a ledger and says each thing on a line of its own once its promise has resolved:
 * `created <id>`, `token <id> <token>`, `done <number>`, and `refused <code> <reason>`.
 */
const [folder = "", publish = "", name = "", life = "", records = "0", shared = "0", ...doneBefore] = process.argv.slice(2);
const silent = (): void => undefined;
const ledger = openLedger({ folder, log: { trace: silent, debug: silent, info: silent, warn: silent, error: silent }, clock: systemClock, publish: publish === "folder" ? "folder" : "link" });
// At once and whole: a line that is buffered when the process is killed would be an acknowledgement lost.
const say = (...words: readonly (string | number)[]): void => void writeSync(1, `${words.join(" ")}\n`);
const addToken = (id: string, token: string): Promise<void> =>
  ledger.update<SavepointRecord>(id, "token", (record) => ({ ...record, candidates: [...record.candidates, token] })).then(() => say("token", id, token));

const done = new Set(doneBefore.map(Number));
const numbers = Array.from({ length: Number(records) }, (_, number) => number).filter((number) => !done.has(number));
try {
  await mapLimit(numbers, 4, async (number) => {
    const id = `${name}-${number}`;
    if (await ledger.create(savepointRecord(id))) say("created", id);
    await addToken(id, `${id}.${life}.first`);
    await addToken(id, `${id}.${life}.second`);
    if (number % 4 === 0) {
      const sharedId = `shared-${(number / 4) % Number(shared)}`;
      await ledger.create(savepointRecord(sharedId));
      await addToken(sharedId, `${id}.${life}.shared`);
    }
    say("done", number);
  });
} catch (error) {
  if (!isFlinkError(error, "ledger-unwritable")) throw error;
  say("refused", error.code, error.facts.reason);
}
