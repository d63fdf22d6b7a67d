import { BodyConsumedError, BodyTooLargeError } from "../errors.ts";
import { joined } from "../held-body.ts";

/**
 * The body of a request, byte for byte as it came. A request with the same body takes its place, so that the
 * framework's own parsers find it as if nobody had read it.
 *
 * @throws `ERR_SLUICE_HTTP_BODY_TOO_LARGE` above `maxBytes`, before more is read than that.
 * @throws `ERR_SLUICE_HTTP_BODY_CONSUMED` when something else has read it.
 */
export async function readBody(messages: { raw: Request }, maxBytes: number): Promise<Uint8Array> {
  const { raw } = messages;
  if (raw.bodyUsed) throw new BodyConsumedError();
  if (Number(raw.headers.get("content-length")) > maxBytes) throw new BodyTooLargeError(maxBytes);
  const bytes = raw.body ? await read(raw.body.getReader(), maxBytes) : new Uint8Array();
  // Only a method that may have a body has bytes of one.
  const again: RequestInit = { method: raw.method, body: bytes as Uint8Array<ArrayBuffer> };
  if (bytes.length > 0) messages.raw = new Request(raw, again);
  return bytes;
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    chunks.push(step.value);
    length += step.value.length;
    if (length <= maxBytes) continue;
    void reader.cancel().catch(() => undefined);
    throw new BodyTooLargeError(maxBytes);
  }
  return joined(chunks);
}
