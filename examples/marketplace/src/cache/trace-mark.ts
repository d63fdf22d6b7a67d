const member = '"trace_id":"';

/** A body without the id of the request that it was made for: what is stored is the same for everybody. */
export function withoutTraceId(body: Uint8Array, id: string): Uint8Array {
  return spliced(body, `${member}${id}"`, `${member}"`);
}

/** A body from {@link withoutTraceId}, for another request. */
export function withTraceId(body: Uint8Array, id: string): Uint8Array {
  return spliced(body, `${member}"`, `${member}${id}"`);
}

/** Replaces the last occurrence: no text within the JSON can hold the quotes of a member's name unescaped. */
function spliced(body: Uint8Array, from: string, to: string): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const at = bytes.lastIndexOf(from);
  if (at < 0) return body;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(to), bytes.subarray(at + from.length)]);
}
