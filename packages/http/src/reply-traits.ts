import type { ReplyHead, ReplyHeaders } from "./reply.ts";

/** Whether a reply to this method with this status has no body, whatever its handler writes (RFC 9110, 6.4.1). */
export function hasNoBody(method: string, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304 || status < 200;
}

/** Whether the reply is an event stream, which must not be held. */
export function isEventStream({ headers }: ReplyHead): boolean {
  return /^\s*text\/event-stream\s*(?:;|$)/i.test(first(headers, "content-type"));
}

/** The length of the body that the head announces, in bytes. 0 when it does not. */
export function announcedBytes({ headers }: ReplyHead): number {
  const length = Number(first(headers, "content-length"));
  return length > 0 ? length : 0;
}

function first(headers: ReplyHeaders, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : (value?.[0] ?? "");
}
