import { Connection } from "./connection.ts";
import type { WireResponse } from "./response.ts";

/** What a client sends. */
export interface ClientRequest {
  readonly method?: string;
  /** As it stands in the request line. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

/** The bytes of a request in HTTP/1.1. */
export function encodeRequest({ method = "GET", path, headers = {}, body }: ClientRequest): Buffer {
  const content = Buffer.from(body ?? "");
  const own = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((each) => `${name}: ${each}`));
  const length = body === undefined || own.has("transfer-encoding") ? [] : [`content-length: ${content.length}`];
  const host = own.has("host") ? [] : ["host: 127.0.0.1"];
  const head = [`${method} ${path} HTTP/1.1`, ...host, ...lines, ...length, "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head, "latin1"), content]);
}

/** One request on a connection of its own. */
export async function request(port: number, wanted: ClientRequest): Promise<WireResponse> {
  await using connection = await Connection.open(port);
  connection.send(encodeRequest(wanted));
  return await connection.response(wanted.method);
}

/** The text of a response's body. */
export function text({ body }: WireResponse): string {
  return body.toString("utf8");
}

/** The JSON of a response's body. */
export function json(response: WireResponse): unknown {
  return JSON.parse(text(response));
}

/** The only value of a header. Undefined when there is none. */
export function header({ headers }: WireResponse, name: string): string | undefined {
  return headers.get(name)?.join(", ");
}
