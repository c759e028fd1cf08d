import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { FlinkError } from "../core/errors";
import type { HttpRequest, StreamedBody } from "./http";
import { publicUrl } from "./httpFailures";

/** The largest plans of real jobs fit; parsing much more at once would hold up the extension host for many seconds. */
const defaultLimitBytes = 32 * 1024 * 1024;
/** Of a page nothing but the title is of use. */
const pageLimitBytes = 64 * 1024;

/** Sends a streamed body as fast as the connection takes it. `lastOut` is called before its last byte can have reached the server; nothing is sent after `over`. */
export async function pump(body: StreamedBody, outgoing: ClientRequest, over: AbortSignal, moved: () => void, lastOut: () => void): Promise<void> {
  let sentBytes = 0;
  for await (const chunk of body.chunks()) {
    if (over.aborted) return;
    sentBytes += chunk.length;
    if (sentBytes > body.lengthBytes) break;
    if (sentBytes === body.lengthBytes) lastOut();
    if (!outgoing.write(chunk)) {
      try {
        await once(outgoing, "drain", { signal: over });
      } catch {
        return;
      }
    }
    moved();
    body.onSent?.(sentBytes);
  }
  if (over.aborted) return;
  if (sentBytes !== body.lengthBytes) throw new Error(`The body had ${sentBytes} instead of ${body.lengthBytes} bytes.`);
  outgoing.end();
}

/** Reads an answer's body, at most as long as allowed; `received` is told the size of every piece. Throws `reply-too-large`. */
export async function read(incoming: IncomingMessage, request: HttpRequest, received: (bytes: number) => void): Promise<Buffer> {
  const page = /^\s*(text\/html|application\/xhtml)/i.test(incoming.headers["content-type"] ?? "");
  const limitBytes = page ? pageLimitBytes : (request.limitBytes ?? defaultLimitBytes);
  const tooLarge = (): Error => new FlinkError("reply-too-large", { url: publicUrl(new URL(request.url)), limitBytes });
  if (!page && Number(incoming.headers["content-length"] ?? 0) > limitBytes && request.method !== "HEAD") throw tooLarge();
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    received(part.length);
    parts.push(part);
    sizeBytes += part.length;
    if (sizeBytes <= limitBytes) continue;
    if (!page) throw tooLarge();
    return Buffer.concat(parts).subarray(0, limitBytes);
  }
  return Buffer.concat(parts);
}
