import { header, request } from "../client/request.ts";
import type { WireResponse } from "../client/response.ts";
import { scheme } from "../framework.ts";

/** Who asks: nobody from this machine, unless said otherwise. */
export interface Asker {
  readonly user?: string;
  /** The client's address, as the proxy in front tells it. */
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is sent, and by whom. */
export interface Sent extends Asker {
  readonly body: unknown;
}

/** Reads. */
export function get(port: number, path: string, asker: Asker = {}): Promise<WireResponse> {
  return request(port, { path, headers: headersOf(asker) });
}

/** Sends JSON: `send(port, "POST /orders", { body: { … } })`. */
export function send(port: number, line: string, { body, ...asker }: Sent): Promise<WireResponse> {
  const [method = "", path = ""] = line.split(" ");
  const headers = { ...headersOf(asker), "content-type": "application/json" };
  return request(port, { method, path, headers, body: JSON.stringify(body) });
}

/** What the cache did about a request. */
export function cacheMark(response: WireResponse): string | undefined {
  return header(response, "x-cache");
}

/** The headers by which a server knows who asks. */
export function headersOf({ user, address, headers = {} }: Asker): Record<string, string> {
  return {
    ...(user === undefined ? {} : { authorization: `${scheme}${user}` }),
    ...(address === undefined ? {} : { "x-forwarded-for": address }),
    ...headers,
  };
}
