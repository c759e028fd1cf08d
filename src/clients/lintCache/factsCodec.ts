/**
 * Facts of a file as bytes: a fifth of what Node makes of them for another thread or the disk, and read as far as they are asked for. Plain data
 * goes in: objects, arrays, maps, sets, texts, numbers, truth values, null and undefined. Layout: how many texts, their lengths, their characters; then
 * the shapes of the objects (names of properties); then the value. A value is a number whose lowest three bits say what it is, the others how many
 * or which one. What an index of the workspace does not ask for is made when it is first read, as hardly any of another file's functions are ever followed.
 */

const tag = { constant: 0, natural: 1, text: 2, array: 3, object: 4, late: 5, negative: 6, collection: 7 } as const;
const constants = [undefined, null, false, true] as const;
/** Among the constants: a number of eight bytes follows. */
const float = constants.length;
/** What bytes from elsewhere must not set. */
const forbidden = "__proto__";
/** Properties that are made late wherever they stand; of a function and a field (what has a `base` and no `classes`) it is all that is not a text, a number or a truth value. */
const lateKeys = new Set(["chunks", "lineStarts", "constants", "features", "span"]);
/** Properties of one object that can be late, by their place: as many as a mask has bits. */
const lateLimit = 30;

interface Shape {
  readonly id: number;
  readonly next: Map<string, Shape>;
}

/** Writes facts; its room is used again for the next ones. */
export class FactsEncoder {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1 << 16);
  #at = 0;
  #texts = new Map<string, number>();
  #shapes: string[][] = [];
  #root: Shape = { id: -1, next: new Map() };
  #ids = new Map<Shape, number>();
  #inLate = false;

  /** The bytes of the facts. Throws when they hold something else than plain data. */
  encode(facts: unknown): Uint8Array<ArrayBuffer> {
    this.#at = 0;
    this.#texts = new Map();
    this.#shapes = [];
    this.#root = { id: -1, next: new Map() };
    this.#ids = new Map();
    this.#inLate = false;
    this.#value(facts);
    const body = this.#bytes.slice(0, this.#at);
    this.#at = 0;
    // Written last and read first: what the value names.
    const shapes = this.#shapes.map((keys) => keys.map((key) => this.#idOf(key)));
    const texts = [...this.#texts.keys()];
    const all = texts.join("");
    const narrow = isNarrow(all);
    this.#number(texts.length);
    for (const text of texts) this.#number(text.length);
    this.#number(all.length * 2 + (narrow ? 0 : 1));
    const characters = Buffer.from(all, narrow ? "latin1" : "utf16le");
    this.#room(characters.length);
    this.#bytes.set(characters, this.#at);
    this.#at += characters.length;
    this.#number(shapes.length);
    for (const keys of shapes) {
      this.#number(keys.length);
      for (const key of keys) this.#number(key);
    }
    this.#room(body.length);
    this.#bytes.set(body, this.#at);
    return this.#bytes.slice(0, this.#at + body.length);
  }

  #value(value: unknown): void {
    if (typeof value === "number") return this.#numeric(value);
    if (typeof value === "string") return this.#number(this.#idOf(value) * 8 + tag.text);
    if (value === undefined || value === null || typeof value === "boolean") return this.#number(constants.indexOf(value) * 8 + tag.constant);
    if (typeof value !== "object") throw new TypeError(`Facts hold a ${typeof value}.`);
    if (Array.isArray(value)) {
      this.#number(value.length * 8 + tag.array);
      for (const item of value) this.#value(item);
    } else if (value instanceof Map) {
      this.#number(value.size * 16 + tag.collection);
      for (const [key, item] of value) {
        this.#value(key);
        this.#value(item);
      }
    } else if (value instanceof Set) {
      this.#number(value.size * 16 + 8 + tag.collection);
      for (const item of value) this.#value(item);
    } else this.#object(value as Readonly<Record<string, unknown>>);
  }

  #numeric(value: number): void {
    if (Number.isSafeInteger(value) && Math.abs(value) < 2 ** 48 && !Object.is(value, -0)) return this.#number(value >= 0 ? value * 8 + tag.natural : -value * 8 + tag.negative);
    this.#number(float * 8 + tag.constant);
    this.#room(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value);
    this.#at += 8;
  }

  #object(value: Readonly<Record<string, unknown>>): void {
    let shape = this.#root;
    for (const key in value) {
      let next = shape.next.get(key);
      if (next === undefined) shape.next.set(key, (next = { id: -1, next: new Map() }));
      shape = next;
    }
    let id = this.#ids.get(shape);
    if (id === undefined) this.#ids.set(shape, (id = this.#shapes.push(Object.keys(value)) - 1));
    const mask = this.#inLate ? 0 : lateMask(value);
    this.#number(id * 8 + (mask === 0 ? tag.object : tag.late));
    if (mask === 0) {
      for (const key in value) this.#value(value[key]);
      return;
    }
    this.#number(mask);
    const late: unknown[] = [];
    let bit = 1;
    for (const key in value) {
      if ((mask & bit) !== 0) late.push(value[key]);
      else this.#value(value[key]);
      bit *= 2;
    }
    this.#late(late);
  }

  /** What is late, with its length before it, so that it can be passed over. */
  #late(values: readonly unknown[]): void {
    const lengthAt = this.#at;
    this.#room(4);
    this.#at += 4;
    this.#inLate = true;
    for (const value of values) this.#value(value);
    this.#inLate = false;
    new DataView(this.#bytes.buffer).setUint32(lengthAt, this.#at - lengthAt - 4);
  }

  #idOf(text: string): number {
    let id = this.#texts.get(text);
    if (id === undefined) this.#texts.set(text, (id = this.#texts.size));
    return id;
  }

  #number(value: number): void {
    if (this.#at + 10 > this.#bytes.length) this.#room(10);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

function isNarrow(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 255) return false;
  return true;
}

/** Which properties of an object are made late, a bit each. */
function lateMask(value: Readonly<Record<string, unknown>>): number {
  const isMember = "base" in value && !("classes" in value);
  let mask = 0;
  let place = 0;
  for (const key in value) {
    const property = value[key];
    if (typeof property === "object" && property !== null && (isMember || lateKeys.has(key)) && place < lateLimit) mask |= 1 << place;
    place++;
  }
  return mask;
}

/** Bytes that are no facts. */
export class DamagedFacts extends Error {}

/**
 * What facts that are kept for long have in common: texts that many files have are there once, and what was made late can be forgotten again, to be
 * made anew when it is asked for. Then it is another object of the same content.
 */
export class KeptFacts {
  readonly #texts = new Map<string, string>();
  readonly #open = new Set<Source>();
  #madeBytes = 0;

  /** Bytes of which late values were made since they were last forgotten; what they take as objects is seven times as much. */
  get madeBytes(): number {
    return this.#madeBytes;
  }

  text(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    // Names that are gone with their files are not told from those in use.
    if (this.#texts.size >= textsLimit) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }

  made(source: Source, bytes: number): void {
    this.#open.add(source);
    this.#madeBytes += bytes;
  }

  forget(): void {
    for (const source of this.#open) source.forget();
    this.#open.clear();
    this.#madeBytes = 0;
  }
}

const textsLimit = 200_000;

/** Facts as they were written; `kept` is for those that are kept for long. Throws when the bytes are no facts; what is late and damaged throws when it is first read. */
export function decodeFacts(bytes: Uint8Array, kept?: KeptFacts): unknown {
  return new Source(bytes, kept).facts();
}

type Properties = Record<string, unknown>;

/** Facts as bytes. Their tables are there while something is made of them. */
class Source {
  readonly #bytes: Uint8Array;
  readonly #kept: KeptFacts | undefined;
  #decoder: Decoder | undefined;
  #made: Late[] = [];

  constructor(bytes: Uint8Array, kept: KeptFacts | undefined) {
    this.#bytes = bytes;
    this.#kept = kept;
  }

  facts(): unknown {
    const decoder = new Decoder(this.#bytes, this, this.#kept);
    const facts = decoder.facts();
    if (this.#kept === undefined) this.#decoder = decoder;
    return facts;
  }

  /** The late properties of an object. */
  late(object: Late, place: LatePlace): Properties {
    if (this.#kept !== undefined) {
      this.#made.push(object);
      this.#kept.made(this, place.end - place.start);
    }
    return (this.#decoder ??= new Decoder(this.#bytes, this, this.#kept)).late(place);
  }

  forget(): void {
    this.#decoder = undefined;
    for (const object of this.#made) Late.forget(object);
    this.#made = [];
  }
}

/** Where the late properties of an object are, and which ones. */
interface LatePlace {
  readonly start: number;
  readonly end: number;
  readonly shape: number;
  readonly mask: number;
}

/** An object some properties of which are made when the first of them is read. They are properties of its own, so that it is copied as any other. */
class Late {
  readonly #source: Source;
  readonly #shape: number;
  readonly #mask: number;
  #start = 0;
  #end = 0;
  #made: Properties | undefined;

  constructor(source: Source, shape: number, mask: number) {
    this.#source = source;
    this.#shape = shape;
    this.#mask = mask;
  }

  /** The same function for every object, or each would have a layout of its own, at ten times the memory. */
  static property(key: string): PropertyDescriptor {
    let known = Late.#properties.get(key);
    if (known === undefined) Late.#properties.set(key, (known = { configurable: true, enumerable: true, get(this: Late) { return this.#late()[key]; } }));
    return known;
  }

  static readonly #properties = new Map<string, PropertyDescriptor>();

  static placed(object: Late, start: number, end: number): void {
    object.#start = start;
    object.#end = end;
  }

  static forget(object: Late): void {
    object.#made = undefined;
  }

  #late(): Properties {
    return this.#made ??= this.#source.late(this, { start: this.#start, end: this.#end, shape: this.#shape, mask: this.#mask });
  }
}

const empty: readonly never[] = Object.freeze([]);

class Decoder {
  readonly #bytes: Uint8Array;
  readonly #source: Source;
  readonly #kept: KeptFacts | undefined;
  #at = 0;
  readonly #starts: Uint32Array;
  readonly #characters: Buffer;
  readonly #narrow: boolean;
  readonly #texts: (string | undefined)[];
  readonly #shapes: string[][] = [];

  constructor(bytes: Uint8Array, source: Source, kept: KeptFacts | undefined) {
    this.#bytes = bytes;
    this.#source = source;
    this.#kept = kept;
    const count = this.#count();
    this.#starts = new Uint32Array(count + 1);
    for (let id = 0; id < count; id++) this.#starts[id + 1] = (this.#starts[id] ?? 0) + this.#number();
    this.#texts = new Array<string | undefined>(count);
    const length = this.#number();
    this.#narrow = length % 2 === 0;
    const byteLength = this.#narrow ? length / 2 : length - 1;
    this.#need(byteLength);
    this.#characters = Buffer.from(bytes.buffer, bytes.byteOffset + this.#at, byteLength);
    this.#at += byteLength;
    for (let left = this.#count(); left > 0; left--) {
      const keys: string[] = [];
      for (let more = this.#count(); more > 0; more--) keys.push(this.#text(this.#number()));
      if (keys.includes(forbidden)) throw new DamagedFacts();
      this.#shapes.push(keys);
    }
  }

  facts(): unknown {
    const value = this.#value();
    if (this.#at !== this.#bytes.length) throw new DamagedFacts();
    return value;
  }

  late({ start, end, shape, mask }: LatePlace): Properties {
    this.#at = start;
    const made: Properties = {};
    for (const [place, key] of this.#keys(shape).entries()) if ((mask & (1 << place)) !== 0) made[key] = this.#value();
    if (this.#at !== end) throw new DamagedFacts();
    return made;
  }

  #value(): unknown {
    const number = this.#number();
    const rest = number < 2 ** 31 ? number >> 3 : Math.floor(number / 8);
    switch (number % 8) {
      case tag.natural:
        return rest;
      case tag.text:
        return this.#text(rest);
      case tag.object:
        return this.#fill({}, rest);
      case tag.array: {
        if (rest === 0) return empty;
        this.#need(rest);
        // Of its length from the start: one that grows takes room for seventeen.
        const items = new Array<unknown>(rest);
        for (let at = 0; at < rest; at++) items[at] = this.#value();
        return items;
      }
      case tag.constant:
        return rest === float ? this.#float() : constants[rest];
      case tag.late:
        return this.#late(rest);
      case tag.negative:
        return -rest;
      default:
        return this.#collection(rest);
    }
  }

  #keys(shape: number): readonly string[] {
    const keys = this.#shapes[shape];
    if (keys === undefined) throw new DamagedFacts();
    return keys;
  }

  #fill(object: Properties, shape: number): Properties {
    const keys = this.#keys(shape);
    for (let at = 0; at < keys.length; at++) object[keys[at] as string] = this.#value();
    return object;
  }

  #late(shape: number): Late {
    const keys = this.#keys(shape);
    const mask = this.#number();
    const object = new Late(this.#source, shape, mask);
    for (let place = 0; place < keys.length; place++) {
      const key = keys[place] as string;
      if ((mask & (1 << place)) !== 0 && place < lateLimit) Object.defineProperty(object, key, Late.property(key));
      else (object as unknown as Properties)[key] = this.#value();
    }
    this.#need(4);
    const length = new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getUint32(this.#at);
    const start = this.#at + 4;
    this.#need(4 + length);
    this.#at = start + length;
    Late.placed(object, start, this.#at);
    return object;
  }

  #collection(rest: number): unknown {
    const size = rest >> 1;
    this.#need(size);
    if (rest % 2 === 1) {
      const set = new Set<unknown>();
      for (let left = size; left > 0; left--) set.add(this.#value());
      return set;
    }
    const map = new Map<unknown, unknown>();
    for (let left = size; left > 0; left--) map.set(this.#value(), this.#value());
    return map;
  }

  #float(): number {
    this.#need(8);
    this.#at += 8;
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getFloat64(this.#at - 8);
  }

  #text(id: number): string {
    const known = this.#texts[id];
    if (known !== undefined) return known;
    const end = this.#starts[id + 1];
    if (end === undefined) throw new DamagedFacts();
    const start = this.#starts[id] ?? 0;
    const text = this.#narrow ? this.#characters.toString("latin1", start, end) : this.#characters.toString("utf16le", start * 2, end * 2);
    return (this.#texts[id] = this.#kept === undefined ? text : this.#kept.text(text));
  }

  #number(): number {
    let byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new DamagedFacts();
    if (byte < 128) return byte;
    let value = byte - 128;
    for (let factor = 128; ; factor *= 128) {
      byte = this.#bytes[this.#at++];
      if (byte === undefined || factor > 2 ** 49) throw new DamagedFacts();
      if (byte < 128) return value + byte * factor;
      value += (byte - 128) * factor;
    }
  }

  /** How many follow, each of a byte at least. */
  #count(): number {
    const count = this.#number();
    this.#need(count);
    return count;
  }

  #need(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) throw new DamagedFacts();
  }
}
