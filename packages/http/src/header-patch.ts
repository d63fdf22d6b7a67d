import type { HeaderPatch, ReplyHeaders } from "./reply.ts";

/** The headers with the patch over them: its values replace theirs, and `null` removes. O(headers). */
export function patchHeaders(headers: ReplyHeaders, patch: HeaderPatch | undefined): ReplyHeaders {
  return patch ? present({ ...headers, ...patch }) : headers;
}

/** The headers with the patch under them: it sets what they lack, and removes nothing. O(headers). */
export function defaultHeaders(headers: ReplyHeaders, patch: HeaderPatch | undefined): ReplyHeaders {
  return patch ? { ...present(patch), ...headers } : headers;
}

function present(patch: HeaderPatch): ReplyHeaders {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(patch)) if (value !== null) headers[name] = value;
  return headers;
}
