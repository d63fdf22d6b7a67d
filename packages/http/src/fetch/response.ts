import type { ReplyBody } from "../pass-reply.ts";
import { hasNoBody } from "../reply-traits.ts";
import type { HeaderPatch, ReplyHead, ReplyHeaders } from "../reply.ts";

/** A reply as a `Response`. */
export function toResponse({ status, headers, body }: ReplyHead & { readonly body?: ReplyBody }): Response {
  const content = hasNoBody("GET", status) ? null : (body as ConstructorParameters<typeof Response>[0]);
  return new Response(content, { status, headers: listed(headers) });
}

/** The head of a response. */
export function headOf({ status, headers }: Response): ReplyHead {
  const read: Record<string, string | readonly string[]> = {};
  for (const [name, value] of headers) read[name] = name === "set-cookie" ? headers.getSetCookie() : value;
  return { status, headers: read };
}

/** Sets what a response lacks, and removes nothing. A response of `fetch` is copied: it cannot change. */
export function withDefaults(response: Response, defaults: HeaderPatch): Response {
  try {
    setDefaults(response.headers, defaults);
    return response;
  } catch {
    const copy = new Response(response.body, response);
    setDefaults(copy.headers, defaults);
    return copy;
  }
}

function setDefaults(headers: Headers, defaults: HeaderPatch): void {
  for (const [name, value] of Object.entries(defaults)) {
    if (value === null || headers.has(name)) continue;
    for (const each of [value].flat()) headers.append(name, each);
  }
}

function listed(headers: ReplyHeaders): Headers {
  const list = new Headers();
  setDefaults(list, headers);
  return list;
}
