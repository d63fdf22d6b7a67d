/**
 * What guards need of a request of Node's servers, HTTP/1.1 and HTTP/2 alike. Structural, so that this package imports
 * nothing of Node.
 */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Where a framework has changed `url`. */
  readonly originalUrl?: string;
  readonly headers: NodeHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
  /** The message has been received in full. */
  readonly complete: boolean;
  readonly destroyed: boolean;
  readonly readableDidRead: boolean;
  /** The stream below a request of HTTP/2. */
  readonly stream?: { readonly readableEnded: boolean };
  read(): unknown;
  unshift(chunk: Uint8Array): void;
  on(event: NodeRequestEvent, listener: (error?: unknown) => void): unknown;
  off(event: NodeRequestEvent, listener: (error?: unknown) => void): unknown;
}

/** What a body is read by. */
export type NodeRequestEvent = "readable" | "end" | "close" | "error";

/** What guards need of a response of Node's servers. */
export interface NodeResponse {
  statusCode: number;
  statusMessage: string;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly destroyed?: boolean;
  /** The stream below a response of HTTP/2, which has no `destroyed` of its own. */
  readonly stream?: { readonly destroyed: boolean };
  readonly errored?: Error | null | undefined;
  getHeaders(): NodeHeaders;
  getHeaderNames(): string[];
  hasHeader(name: string): boolean;
  setHeader(name: string, value: string | readonly string[]): unknown;
  removeHeader(name: string): unknown;
  writeHead(status: number, ...rest: unknown[]): unknown;
  write(chunk: unknown, ...rest: unknown[]): boolean;
  end(...rest: unknown[]): unknown;
  /** Missing in the types of HTTP/2 alone. */
  flushHeaders?(): void;
  emit(event: "drain"): boolean;
  once(event: "close" | "finish", listener: () => void): unknown;
}

/** Headers as Node gives them: by lower-case name, HTTP/2's pseudo-headers among them. */
export type NodeHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** The value of a header, named in any case. Values of a repeated header are joined by `, `. */
export function headerOf({ headers }: Pick<NodeRequest, "headers">, name: string): string | undefined {
  const lower = name.toLowerCase();
  const value = headers[lower] ?? (lower === "host" ? headers[":authority"] : undefined);
  return value === undefined || typeof value === "string" ? value : [value].flat().join(", ");
}

/** The same from headers as they came, names and values in turn: Node makes an object of them when asked for one. */
export function rawHeaderOf(rawHeaders: readonly string[], name: string): string | undefined {
  const lower = name.toLowerCase();
  let found: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const each = rawHeaders[index];
    if (each?.length !== name.length || each.toLowerCase() !== lower) continue;
    const value = rawHeaders[index + 1] ?? "";
    // HTTP/2 splits cookies (RFC 9113, 8.2.3).
    found = found === undefined ? value : `${found}${lower === "cookie" ? ";" : ","} ${value}`;
  }
  return found;
}
