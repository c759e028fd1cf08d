import { operatorIdOf } from "../../src/core/metadata/operatorId";
import { ByteWriter, Random } from "./metadataWriter";

/** How much of everything. */
export interface WideShape {
  readonly operators: number;
  readonly subtasks: number;
  /** Files per subtask. */
  readonly files: number;
  readonly checkpointId?: number;
}

/**
 * Writes a `_metadata` of format 6 as a large job with an incremental backend has it: names, uids for most operators, sizes that differ by orders
 * of magnitude, one operator that is skewed.
 */
export function wideMetadata({ operators, subtasks, files, checkpointId = 1042 }: WideShape): Buffer {
  const random = new Random(7);
  const out = new ByteWriter();
  out.i32(0x4960672d).i32(6).i64(checkpointId).i32(0).i32(operators);
  const verbs = ["Dedupe", "Join payments", "Window totals", "Enrich", "Session", "Top customers", "Late orders", "Fraud score"];
  for (let i = 0; i < operators; i++) {
    const hasUid = i % 9 !== 4;
    const uid = `${(verbs[i % verbs.length] ?? "").toLowerCase().replaceAll(" ", "-")}-${i}`;
    out.utf(`${verbs[i % verbs.length]} ${i}`).utf(hasUid ? uid : "");
    out.raw(Buffer.from(operatorIdOf(uid), "hex")).i32(subtasks).i32(1 << Math.ceil(Math.log2(subtasks * 16)));
    out.u8(0).i32(subtasks);
    const groups = (1 << Math.ceil(Math.log2(subtasks * 16))) / subtasks;
    const scale = 10 ** random.int(6);
    for (let s = 0; s < subtasks; s++) {
      const hot = i % 5 === 1 && s === 0 ? 40 : 1;
      out.i32(s).i32(0).i32(0);
      out.u8(11).i64(checkpointId).utf(random.uuid()).i32(Math.floor(s * groups)).i32(Math.floor(groups)).i64(100);
      out.u8(2).i64(3_000).utf(`s3://state/orders/4f0d1c2b/chk-${checkpointId}/${random.uuid()}`);
      out.i32(files - 1);
      for (let f = 1; f < files; f++) out.utf(`${String(f).padStart(6, "0")}.sst`).u8(2).i64(hot * scale * (1 + random.int(900))).utf(`s3://state/orders/4f0d1c2b/shared/${random.uuid()}`);
      out.i32(0).utf(random.uuid());
      out.u8(0).i32(0).i32(0);
    }
  }
  out.raw(Buffer.from([0xac, 0xed, 0, 5, 0x70]));
  return Buffer.from(out.finish());
}
