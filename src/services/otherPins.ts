import { mapLimit } from "../core/base/async";
import type { Disposable } from "../core/base/disposable";
import { Emitter } from "../core/base/event";
import { localPath, placeKey } from "../core/model/location";
import type { Clock, Log, PinMarks, StorageLook } from "../core/ports";

/** Marks that were looked at so lately are not looked at again, milliseconds. */
const freshMs = 10_000;

/** Marks of pins that other ledgers put beside savepoints: another window's, `schedule run`'s, a colleague's. Rows ask for what was seen last, and are told when it is another. */
export class OtherPins implements Disposable {
  readonly #pins: Pick<PinMarks, "others">;
  readonly #look: Pick<StorageLook, "real">;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly files: readonly string[]; readonly atMs: number }>();
  readonly #changed: Emitter<undefined>;
  readonly #wanted = new Set<string>();
  #isLooking = false;

  /** Fires when there are other marks than before. */
  readonly onDidChange;

  constructor(pins: Pick<PinMarks, "others">, look: Pick<StorageLook, "real">, clock: Clock, log: Log) {
    this.#pins = pins;
    this.#look = look;
    this.#clock = clock;
    this.#changed = new Emitter((error) => log.error("a listener to pins", error));
    this.onDidChange = this.#changed.event;
  }

  /** The marks as they were seen last, without looking. */
  known(location: string): readonly string[] {
    return this.#known.get(placeKey(location))?.files ?? [];
  }

  /** Looks at those in sight that were not looked at lately, in the background; a disk that hangs holds up nothing but this. */
  keepCurrent(locations: readonly string[]): void {
    for (const location of locations) if (localPath(location) !== undefined && this.#clock.now() - (this.#known.get(placeKey(location))?.atMs ?? -Infinity) >= freshMs) this.#wanted.add(location);
    if (!this.#isLooking) void this.#lookAtWanted();
  }

  async #lookAtWanted(): Promise<void> {
    this.#isLooking = true;
    while (this.#wanted.size > 0) {
      const due = [...this.#wanted];
      this.#wanted.clear();
      await mapLimit(due, 8, (location) => this.look(location));
    }
    this.#isLooking = false;
  }

  /** Looks now, under the savepoint's path and that with links followed. Never rejects. */
  async look(location: string): Promise<readonly string[]> {
    const key = placeKey(location);
    const places = [...new Set([location, await this.#look.real(location)])];
    const files = [...new Set((await Promise.all(places.map((place) => this.#pins.others(place)))).flat())];
    const before = this.known(location);
    this.#known.set(key, { files, atMs: this.#clock.now() });
    if (JSON.stringify(before) !== JSON.stringify(files)) this.#changed.fire(undefined);
    return files;
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
