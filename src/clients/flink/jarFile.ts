import { open, type FileHandle } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { FlinkError } from "../../core/errors";
import type { StreamedBody } from "../http";

const pieceBytes = 256 * 1024;
/** The end record and the longest comment that may follow it. */
const zipTailBytes = 22 + 0xffff;

/**
 * A jar on disk as the body of `POST /jars/upload`: one part named `jarfile`, streamed, its length announced (`FileUploadHandler`).
 * Throws `file-unreadable`, and `file-not-a-jar` for what is no whole zip archive, such as a jar that is still being written.
 */
export async function jarUpload(file: string, onSent: (sentBytes: number, totalBytes: number) => void): Promise<StreamedBody> {
  const sizeBytes = await readable(file, async (handle) => {
    const { size } = await handle.stat();
    if (!(await isZip(handle, size))) throw new FlinkError("file-not-a-jar", { path: file });
    return size;
  });
  const boundary = `----flink-savepoints-${randomBytes(16).toString("hex")}`;
  const before = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="jarfile"; filename="${uploadName(file)}"\r\nContent-Type: application/x-java-archive\r\n\r\n`,
    "latin1",
  );
  const after = Buffer.from(`\r\n--${boundary}--\r\n`, "latin1");
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    lengthBytes: before.length + sizeBytes + after.length,
    async *chunks() {
      yield before;
      yield* pieces(file, sizeBytes);
      yield after;
    },
    onSent: (sentBytes) => onSent(Math.min(sizeBytes, Math.max(0, sentBytes - before.length)), sizeBytes),
  };
}

/** The file's name as Flink can store it: it must end in `.jar`, and a JobManager in the C locale cannot write other than ASCII. */
export function uploadName(file: string): string {
  const name = path.basename(file).replace(/\.jar$/i, "").replace(/[^A-Za-z0-9._+-]/g, "_");
  return `${name === "" ? "job" : name}.jar`;
}

async function* pieces(file: string, sizeBytes: number): AsyncIterable<Uint8Array> {
  const handle = await readable(file, (opened) => Promise.resolve(opened), true);
  try {
    for (let position = 0; position < sizeBytes; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(pieceBytes, sizeBytes - position)), 0, undefined, position);
      if (bytesRead === 0) throw new FlinkError("file-unreadable", { path: file, reason: "became shorter while it was read" });
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function readable<T>(file: string, use: (handle: FileHandle) => Promise<T>, keepOpen = false): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, "r");
    return await use(handle);
  } catch (error) {
    if (error instanceof FlinkError) throw error;
    throw new FlinkError("file-unreadable", { path: file, reason: (error as NodeJS.ErrnoException).code ?? "unreadable" }, { cause: error });
  } finally {
    if (!keepOpen) await handle?.close();
  }
}

/** True when the end record of a zip is there and its directory lies within the file. A start other than `PK` is allowed: jars may be scripts, too. */
async function isZip(handle: FileHandle, sizeBytes: number): Promise<boolean> {
  const tail = Buffer.alloc(Math.min(sizeBytes, zipTailBytes));
  await handle.read(tail, 0, tail.length, sizeBytes - tail.length);
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== 0x06054b50) continue;
    const entries = tail.readUInt16LE(at + 10);
    const directoryEnd = tail.readUInt32LE(at + 12) + tail.readUInt32LE(at + 16);
    const zip64 = entries === 0xffff || tail.readUInt32LE(at + 16) === 0xffffffff;
    if (entries > 0 && (zip64 || directoryEnd <= sizeBytes - tail.length + at)) return true;
  }
  return false;
}
