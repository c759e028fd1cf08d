import { operatorIdOf } from "../../src/core/metadata/operatorId";
import { ByteWriter, Random } from "./metadataWriter";

const base = "s3://prod-flink-state/checkpoints/5a1f0c3e9b7d42e8a6c4d2f0b8e61375";

/**
 * A large `_metadata` of version 6 with about so many bytes. `handles` is an incremental RocksDB checkpoint of a wide job, most bytes are paths
 * of shared files; `inline` is a heap snapshot whose state is inside the metadata, 10 to 20 kB a handle.
 */
export function largeMetadata(shape: "handles" | "inline", bytes: number): Buffer {
  const random = new Random(1);
  const operators: Buffer[] = [];
  let size = 0;
  while (size < bytes) {
    const one = Buffer.from(operator(random, shape, operators.length).finish());
    operators.push(one);
    size += one.length;
  }
  const head = new ByteWriter().i32(0x4960672d).i32(6).i64(4711).i32(0).i32(operators.length).finish();
  return Buffer.concat([head, ...operators, Buffer.from([0xac, 0xed, 0, 5, 0x70])]);
}

function operator(random: Random, shape: "handles" | "inline", i: number): ByteWriter {
  const parallelism = 64;
  const kind = i % 8;
  const uid = `operator-${kind}-${i}`;
  const out = new ByteWriter().utf(`operator ${i}`).utf(uid).raw(Buffer.from(operatorIdOf(uid), "hex")).i32(parallelism).i32(1024);
  if (kind === 0 || kind === 7) inline(out, random, `${uid}-coordinator`, 3000);
  else out.u8(0);
  out.i32(parallelism);
  for (let s = 0; s < parallelism; s++) subtask(out, random, shape, kind, s);
  return out;
}

function subtask(out: ByteWriter, random: Random, shape: "handles" | "inline", kind: number, s: number): void {
  out.i32(s);
  const stream = (most: number): void => {
    if (shape === "handles") relative(out, random);
    else inline(out, random, `${base}/chk-4711/${random.uuid()}`, most / 2 + random.int(most / 2));
  };
  const hasOperatorState = kind === 0 || kind === 7 || kind === 3;
  out.i32(hasOperatorState ? 1 : 0);
  if (hasOperatorState) {
    out.u8(4).i32(2).utf("SourceReaderState").u8(0).i32(kind === 0 ? 32 : 4);
    for (let o = 0; o < (kind === 0 ? 32 : 4); o++) out.i64(200 + o * 40);
    out.utf("rules").u8(2).i32(1).i64(4000);
    stream(4000);
  }
  out.i32(0);
  const keyGroups = kind === 3 || (shape === "inline" && ![0, 1, 7].includes(kind));
  if (keyGroups) {
    out.u8(12).i32(s * 16).i32(16);
    for (let g = 0; g < 16; g++) out.i64(500 + g * 100);
    stream(20_000);
    out.utf(random.uuid());
  } else if (shape === "handles" && ![0, 1, 7].includes(kind)) incremental(out, random, s);
  else out.u8(0);
  out.u8(0);
  for (const tag of [3, 4]) {
    const merged = shape === "handles" && kind === 4 && s % 4 === 0;
    out.i32(merged ? 1 : 0);
    if (!merged) continue;
    out.u8(tag).i32(s).i64(800 * 16);
    relative(out, random);
    out.i32(4 + 16 * 36).i32(16);
    for (let c = 0; c < 16; c++) out.i32(0).i32(c).i64(800).i32(2).i64(1000 * c).i64(1000 * c + 400);
  }
}

function incremental(out: ByteWriter, random: Random, s: number): void {
  out.u8(11).i64(4711).utf(random.uuid()).i32(s * 16).i32(16).i64(1_000_000 + random.int(1 << 28));
  inline(out, random, random.uuid(), 600);
  const shared = 30 + random.int(61);
  out.i32(shared);
  for (let i = 0; i < shared; i++) out.utf(`${String(100 + 7 * i).padStart(6, "0")}.sst`).u8(2).i64((1 << 20) + random.int(1 << 26)).utf(`${base}/shared/${random.uuid()}`);
  out.i32(3).utf("CURRENT");
  inline(out, random, random.uuid(), 16);
  out.utf("MANIFEST-000123");
  relative(out, random);
  out.utf("OPTIONS-000124");
  relative(out, random);
  out.utf(random.uuid());
}

function relative(out: ByteWriter, random: Random): void {
  out.u8(6).utf(random.uuid()).i64(1000 + random.int(1 << 20));
}

function inline(out: ByteWriter, random: Random, name: string, size: number): void {
  out.u8(1).utf(name).i32(size).raw(Buffer.alloc(size, random.int(256)));
}
