/**
 * Facts of a file as bytes: a fifth of what Node makes of them for another thread or the disk, and read as far as they are asked for. Plain data
 * goes in: objects, arrays, maps, sets, texts, numbers, truth values, null and undefined. Layout: how many texts, their lengths, their characters; then
 * the shapes of the objects (names of properties); then the value. A value is a number whose lowest three bits say what it is, the others how many
 * or which one. What a `body` holds is made when it is first read, as hardly any of another file's functions are ever followed.
 */

const tag = { constant: 0, natural: 1, text: 2, array: 3, object: 4, late: 5, negative: 6, collection: 7 } as const;
const constants = [undefined, null, false, true] as const;
/** Among the constants: a number of eight bytes follows. */
const float = constants.length;
/** What bytes from elsewhere must not set. */
const forbidden = "__proto__";

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
  #inBody = false;

  /** The bytes of the facts. Throws when they hold something else than plain data. */
  encode(facts: unknown): Uint8Array<ArrayBuffer> {
    this.#at = 0;
    this.#texts = new Map();
    this.#shapes = [];
    this.#root = { id: -1, next: new Map() };
    this.#ids = new Map();
    this.#inBody = false;
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
    const { body } = value;
    const late = !this.#inBody && typeof body === "object" && body !== null;
    this.#number(id * 8 + (late ? tag.late : tag.object));
    for (const key in value) {
      if (late && key === "body") this.#late(body);
      else this.#value(value[key]);
    }
  }

  /** A body with its length before it, so that it can be passed over. */
  #late(body: unknown): void {
    const lengthAt = this.#at;
    this.#room(4);
    this.#at += 4;
    this.#inBody = true;
    this.#value(body);
    this.#inBody = false;
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

/** Facts as they were written. Throws when the bytes are no facts; a body that is none throws when it is first read. */
export function decodeFacts(bytes: Uint8Array): unknown {
  return new Decoder(bytes).facts();
}

/** Bytes that are no facts. */
export class DamagedFacts extends Error {}

type Properties = Record<string, unknown>;

class Decoder {
  readonly #bytes: Uint8Array;
  #at = 0;
  readonly #starts: Uint32Array;
  readonly #characters: string;
  readonly #texts: (string | undefined)[];
  readonly #shapes: string[][] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const count = this.#count();
    this.#starts = new Uint32Array(count + 1);
    for (let id = 0; id < count; id++) this.#starts[id + 1] = (this.#starts[id] ?? 0) + this.#number();
    this.#texts = new Array<string | undefined>(count);
    const length = this.#number();
    const byteLength = length % 2 === 0 ? length / 2 : length - 1;
    this.#need(byteLength);
    this.#characters = Buffer.from(bytes.buffer, bytes.byteOffset + this.#at, byteLength).toString(length % 2 === 0 ? "latin1" : "utf16le");
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
        this.#need(rest);
        const items: unknown[] = [];
        for (let left = rest; left > 0; left--) items.push(this.#value());
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

  #fill(object: Properties, shape: number): Properties {
    const keys = this.#shapes[shape];
    if (keys === undefined) throw new DamagedFacts();
    for (let at = 0; at < keys.length; at++) object[keys[at] as string] = this.#value();
    return object;
  }

  /** An object whose body is made when it is read. */
  #late(shape: number): Properties {
    let made: unknown;
    let place: number | undefined;
    const object: Properties = {
      get body(): unknown {
        if (place !== undefined) {
          made = bodyAt(place);
          place = undefined;
        }
        return made;
      },
    };
    const bodyAt = (at: number): unknown => {
      this.#at = at;
      return this.#value();
    };
    for (const key of this.#shapes[shape] ?? []) {
      if (key !== "body") {
        object[key] = this.#value();
        continue;
      }
      this.#need(4);
      const length = new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getUint32(this.#at);
      place = this.#at + 4;
      this.#need(4 + length);
      this.#at = place + length;
    }
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
    return (this.#texts[id] = this.#characters.slice(this.#starts[id], end));
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
