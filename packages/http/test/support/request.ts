import type { HttpRequest } from "@sluice/http";

/** A request that no client has sent. */
export function makeRequest(
  parts: Partial<Omit<HttpRequest, "header">> & { readonly headers?: Readonly<Record<string, string>> } = {},
): HttpRequest {
  const { headers = {}, ...rest } = parts;
  return {
    method: "GET",
    url: "/products?sort=price",
    path: "/products",
    route: "/products",
    id: "req-1",
    address: "203.0.113.7",
    principal: undefined,
    signal: new AbortController().signal,
    header: (name) => headers[name.toLowerCase()],
    body: async () => new Uint8Array(),
    ...rest,
  };
}
