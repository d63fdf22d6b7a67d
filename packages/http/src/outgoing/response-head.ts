import type { HttpReply, ReplyHead } from "../reply.ts";
import type { NodeHeaders, NodeResponse } from "./messages.ts";

/** The head of a response as it stands now. */
export function headOf(response: NodeResponse): ReplyHead {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(response.getHeaders())) {
    if (value !== undefined && !name.startsWith(":")) headers[name] = typeof value === "number" ? String(value) : value;
  }
  return { status: response.statusCode, headers };
}

/** Sets status and headers, and removes every other header. */
export function replaceHead(response: NodeResponse, { status, headers }: ReplyHead): void {
  for (const name of response.getHeaderNames()) if (!Object.hasOwn(headers, name)) response.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
}

/** Sets the headers that a call of `writeHead` names, in any of the shapes that Node takes. */
export function setWrittenHeaders(response: NodeResponse, headers: unknown): void {
  if (Array.isArray(headers)) {
    for (const [name, values] of grouped(headers))
      response.setHeader(name, values.length > 1 ? values : (values[0] ?? ""));
  } else if (typeof headers === "object" && headers !== null) {
    for (const [name, value] of Object.entries(headers as NodeHeaders)) {
      if (value !== undefined) response.setHeader(name, typeof value === "number" ? String(value) : value);
    }
  }
}

/** Names and values that alternate, or come in pairs: a name that comes twice has two values. */
function grouped(list: readonly unknown[]): Map<string, string[]> {
  const flat = list.flat().map(String);
  const values = new Map<string, string[]>();
  for (let index = 0; index < flat.length; index += 2) {
    const name = (flat[index] ?? "").toLowerCase();
    values.set(name, [...(values.get(name) ?? []), flat[index + 1] ?? ""]);
  }
  return values;
}

const contentHeader = /^(?:content-(?!security-policy)|etag$|last-modified$|transfer-encoding$|trailer$)/;

/** Whether a header describes the content of a reply, so that it must not stand on a reply that takes its place. */
export function describesContent(name: string): boolean {
  return contentHeader.test(name);
}

/** Sends a whole reply in place of whatever the handler has prepared. Other headers stay. */
export function sendReply(response: NodeResponse, { status, headers, body }: HttpReply): void {
  for (const name of response.getHeaderNames()) if (describesContent(name)) response.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  response.end(body);
}
