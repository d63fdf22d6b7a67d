import { matchesEtag, type HttpReply, type HttpRequest } from "@sluice/http";

import type { CacheRead } from "../entry.ts";
import type { ReadOutcome } from "../events.ts";
import type { StoredReply } from "./stored-reply.ts";

const xCache: Readonly<Record<ReadOutcome, string>> = {
  l1: "HIT",
  hit: "HIT",
  stale: "STALE",
  miss: "MISS",
  coalesced: "MISS",
  bypass: "BYPASS",
  degraded: "BYPASS",
  failed: "MISS",
};

/** What the headers of a reply from the cache are made with. */
export interface ReplyHeadersOptions {
  /** `Cache-Control` for a reply of an age in seconds. */
  readonly cacheControl: (ageSeconds: number) => string;
  readonly vary: string | undefined;
}

/** The headers of a stored reply as it is sent now. */
export function headersOf(
  { value, outcome, ageMs }: CacheRead<StoredReply>,
  { cacheControl, vary }: ReplyHeadersOptions,
): Record<string, string> {
  const ageSeconds = Math.floor(ageMs / 1000);
  return {
    ...value.headers,
    etag: value.etag,
    "cache-control": cacheControl(ageSeconds),
    age: String(ageSeconds),
    "x-cache": xCache[outcome],
    ...(vary === undefined ? {} : { vary }),
  };
}

/** The reply to a request for something stored: 304 when the client has it already. */
export function replyTo(request: HttpRequest, read: CacheRead<StoredReply>, options: ReplyHeadersOptions): HttpReply {
  const headers = headersOf(read, options);
  const ifNoneMatch = request.header("if-none-match");
  if (ifNoneMatch !== undefined && matchesEtag(ifNoneMatch, read.value.etag)) {
    // What describes a body that is not sent is left out (RFC 9110, 15.4.5).
    const { "content-type": _type, "content-encoding": _coding, "content-language": _language, ...others } = headers;
    return { status: 304, headers: others };
  }
  return { status: 200, headers, body: request.method === "HEAD" ? undefined : read.value.body };
}
