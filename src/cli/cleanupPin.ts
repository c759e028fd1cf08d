import { errnoOf } from "../clients/atomicFile";
import { localStorageLook } from "../clients/localStorageLook";
import { isFlinkError } from "../core/errors";
import { explain, explainRefusal } from "../core/explain";
import type { SavepointRecord } from "../core/ledger/record";
import { placeKey } from "../core/model/location";
import { followedPlaces } from "../services/realPlaces";
import { pinnedBeside } from "../services/pinnedBeside";
import type { CleanupAsked } from "./cleanup";
import type { Terminal } from "./command";
import type { Headless } from "./headlessApp";
import { pathArgument } from "./pathArgument";
import { printable } from "./printable";

/** What became of one savepoint, as `--json` writes it. */
interface PinJson {
  readonly path: string;
  readonly pinned: boolean;
  /** Whether a mark beside it tells other programs. */
  marked: boolean;
  /** Records of the ledger that say so. */
  readonly records: readonly string[];
  /** What other ledgers still say, or why it could not be done. */
  remarks: readonly string[];
  error: boolean;
}

/** `cleanup pin` and `unpin`: in the ledger, where it knows the savepoint, and by a mark beside its files. Resolves to the exit code. */
export async function pinNamed({ app }: Headless, { verb, named, json }: CleanupAsked, terminal: Terminal): Promise<number> {
  const pinned = verb === "pin";
  const told: PinJson[] = [];
  for (const name of named) {
    const place = /^[A-Za-z][A-Za-z0-9+.-]+:\//.test(name) ? name : pathArgument(name, terminal.workingFolder);
    const { path, records } = await followedPlaces(localStorageLook, place, await app.ledger.all());
    const mine = records.filter((record): record is SavepointRecord => record.kind === "savepoint" && record.path !== null && placeKey(record.path) === placeKey(path) && record.disposal?.state !== "disposed");
    const one: PinJson = { path, pinned, marked: false, records: mine.map(({ id }) => id), remarks: [], error: false };
    told.push(one);
    try {
      for (const { id } of mine) await app.savepoints.pin(id, pinned);
      await mark(one);
    } catch (error) {
      if (!isFlinkError(error)) throw error;
      Object.assign(one, { error: true, remarks: [explain(error).message] });
    }
  }
  if (json) terminal.out(JSON.stringify({ savepoints: told }, null, 2));
  else for (const one of told) (one.error ? terminal.err : terminal.out)(printable(textOf(one)));
  return told.some(({ error }) => error) ? 1 : 0;

  async function mark(one: PinJson): Promise<void> {
    if (!pinned) {
      const why = await app.pins.remove(one.path).then(() => undefined, (error: unknown) => errnoOf(error) ?? String(error));
      one.error = why !== undefined;
      one.remarks = [...(why === undefined ? [] : [`Its mark can't be taken away (${why}).`]), ...(await pinnedBeside(app.pins, [one.path])).map(explainRefusal)];
      return;
    }
    const isThere = (await localStorageLook.savepoint(one.path)) === "metadata";
    const put = isThere ? await app.pins.put(one.path) : { marked: false, reason: "elsewhere" } as const;
    one.marked = put.marked;
    if (put.marked) return;
    // A mistyped path must not look pinned.
    one.error = one.records.length === 0;
    const why = put.reason === "elsewhere" ? "It can't be seen from here" : `No mark could be put beside it (${put.reason})`;
    one.remarks = [one.error ? (put.reason === "elsewhere" ? "No savepoint is seen there, and the ledger knows none." : `${why}, and the ledger does not know it.`) : `${why}, so no other program knows of that.`];
  }
}

function textOf({ path, pinned, marked, records, remarks, error }: PinJson): string {
  const said = error ? `${path} was not ${pinned ? "pinned" : "unpinned"}.` : !pinned ? `${path} is not pinned by this ledger any more.`
    : marked ? `${path} is pinned: nothing that sees its disk removes it.` : `${path} is pinned in this ledger (${records.join(", ")}).`;
  return [said, ...remarks].join(" ");
}
