import { hash } from "node:crypto";

import type { RepliedOutcome } from "@sluice/http";

import type { Codec } from "../codec.ts";

/** A reply as it is stored. */
export interface StoredReply {
  readonly headers: Readonly<Record<string, string>>;
  /** Changes whenever the body, its type, its language or its coding does. */
  readonly etag: string;
  readonly body: Uint8Array;
}

// What describes the body. Anything else may be about the request that it was made for.
const described = [
  "content-type",
  "content-language",
  "content-encoding",
  "content-disposition",
  "content-location",
  "last-modified",
  "link",
];

/** What a handler replied, ready to be stored. */
export function storedReply({ head, body = new Uint8Array() }: RepliedOutcome): StoredReply {
  const headers: Record<string, string> = {};
  for (const name of described) {
    const value = head.headers[name];
    if (value !== undefined) headers[name] = typeof value === "string" ? value : value.join(", ");
  }
  const variant = JSON.stringify(headers);
  const digest = hash("sha256", Buffer.concat([Buffer.from(`${variant.length}:${variant}`), body]), "base64url");
  // Weak: a proxy may compress what it passes on.
  return { headers, etag: `W/"${digest.slice(0, 22)}"`, body };
}

/** A length, the head as JSON, and the body as it is: a hit copies and parses no more than the head. */
export const replyCodec: Codec = {
  encode(value) {
    const { headers, etag, body } = value as StoredReply;
    const head = Buffer.from(JSON.stringify({ headers, etag }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.length);
    return Buffer.concat([length, head, body]);
  },
  decode(bytes) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const bodyAt = 4 + buffer.readUInt32BE(0);
    const { headers, etag } = JSON.parse(buffer.toString("utf8", 4, bodyAt)) as Omit<StoredReply, "body">;
    return { headers, etag, body: buffer.subarray(bodyAt) };
  },
};
