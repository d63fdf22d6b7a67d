/** A response as it stood on the wire. */
export interface WireResponse {
  readonly status: number;
  /** By lower-case name; repeated headers in their order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  readonly trailers: ReadonlyMap<string, readonly string[]>;
}

/** A response and what came after it. */
export interface Parsed {
  readonly response: WireResponse;
  readonly rest: Buffer;
}

type Headers = Map<string, string[]>;

const crlf = "\r\n";

/**
 * Reads one response from the start of `bytes`, or undefined while it is incomplete. A response without a length
 * reaches to the end of the connection (RFC 9112, section 6.3).
 */
export function parseResponse(bytes: Buffer, method: string, ended: boolean): Parsed | undefined {
  const headEnd = bytes.indexOf(crlf + crlf);
  if (headEnd < 0) return undefined;
  const [statusLine = "", ...lines] = bytes.subarray(0, headEnd).toString("latin1").split(crlf);
  const status = Number(statusLine.split(" ")[1]);
  const headers = parseHeaders(lines);
  const content = bytes.subarray(headEnd + 4);
  const whole = (body: Buffer, rest: Buffer, trailers: Headers = new Map()): Parsed => ({
    response: { status, headers, body, trailers },
    rest,
  });
  if (method === "HEAD" || hasNoBody(status)) return whole(Buffer.alloc(0), content);
  if (headers.get("transfer-encoding")?.includes("chunked")) {
    const chunked = parseChunks(content);
    return chunked && whole(chunked.body, chunked.rest, chunked.trailers);
  }
  const length = headers.get("content-length")?.[0];
  if (length === undefined) return ended ? whole(content, Buffer.alloc(0)) : undefined;
  if (content.length < Number(length)) return undefined;
  return whole(content.subarray(0, Number(length)), content.subarray(Number(length)));
}

function hasNoBody(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

function parseHeaders(lines: readonly string[]): Headers {
  const headers: Headers = new Map();
  for (const line of lines.filter((each) => each !== "")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  return headers;
}

function parseChunks(bytes: Buffer): { body: Buffer; rest: Buffer; trailers: Headers } | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf(crlf, at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (bytes.length < at + size + 2) return undefined;
    chunks.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
  const end = bytes.subarray(at, at + 2).toString("latin1") === crlf ? at : bytes.indexOf(crlf + crlf, at) + 2;
  if (end < at || bytes.length < end + 2) return undefined;
  const trailers = parseHeaders(bytes.subarray(at, end).toString("latin1").split(crlf));
  return { body: Buffer.concat(chunks), rest: bytes.subarray(end + 2), trailers };
}
