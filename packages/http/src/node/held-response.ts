import type { Exchange } from "../exchange.ts";
import type { HttpGuard } from "../guard.ts";
import type { NodeResponse } from "../outgoing/messages.ts";
import { headOf, replaceHead, setWrittenHeaders } from "../outgoing/response-head.ts";
import type { ReleasedReply } from "../release.ts";

type Sink = Required<Pick<NodeResponse, "writeHead" | "write" | "end" | "flushHeaders">>;

/**
 * Keeps what a handler writes to a response until the exchange lets it go. The response tells its handler that it has
 * been sent meanwhile. Several may stand before one response: the one made last is nearest to the handler.
 */
export class HeldResponse {
  readonly #response: NodeResponse;
  readonly #exchange: Exchange;
  readonly #holdsBody: boolean;
  readonly #sink: Sink;
  #hasHead = false;
  /** The handler has written a part of the body, or asked for the head to be sent. */
  #hasBody = false;
  #hasEnded = false;
  #hasReason = false;
  #isBlocked = false;

  constructor(response: NodeResponse, exchange: Exchange, { needs }: HttpGuard) {
    this.#response = response;
    this.#exchange = exchange;
    this.#holdsBody = needs.reply === "body";
    this.#sink = {
      writeHead: response.writeHead.bind(response),
      write: response.write.bind(response),
      end: response.end.bind(response),
      flushHeaders: response.flushHeaders?.bind(response) ?? (() => {}),
    };
    this.#intercept(response);
    exchange.hold((released) => this.#release(released));
  }

  /** The handler threw: an error reply may take the place of what it wrote, if that is still here. */
  fail(error: unknown): void {
    this.#exchange.fail(error);
    if (this.#passes || this.#hasEnded || (this.#hasBody && !this.#holdsBody)) return;
    this.#hasHead = false;
    this.#hasBody = false;
  }

  get #passes(): boolean {
    return this.#exchange.flows || !this.#exchange.isOpen;
  }

  #intercept(response: NodeResponse): void {
    response.writeHead = (status, ...rest) => this.#writeHead(status, rest);
    response.write = (chunk, ...rest) => this.#write(chunk, rest);
    response.end = (...rest) => this.#end(rest);
    response.flushHeaders = () => this.#flushHeaders();
    const sent = getter(response, "headersSent");
    const ended = getter(response, "writableEnded");
    Object.defineProperties(response, {
      headersSent: { configurable: true, get: () => this.#hasHead || sent() },
      writableEnded: { configurable: true, get: () => this.#hasEnded || ended() },
    });
  }

  #begin(): void {
    if (this.#hasHead || this.#passes) return;
    this.#hasHead = true;
    this.#exchange.head(headOf(this.#response));
  }

  #writeHead(status: number, rest: readonly unknown[]): unknown {
    if (this.#passes) return this.#sink.writeHead(status, ...rest);
    if (this.#hasHead) throw headersSent();
    const [first, second] = rest;
    this.#response.statusCode = status;
    this.#hasReason = typeof first === "string";
    if (typeof first === "string") this.#response.statusMessage = first;
    setWrittenHeaders(this.#response, second ?? first);
    this.#begin();
    return this.#response;
  }

  #write(chunk: unknown, rest: readonly unknown[]): boolean {
    this.#begin();
    const bytes = bytesOf(chunk, rest[0]);
    if (this.#passes || bytes === undefined) return this.#sink.write(chunk, ...rest);
    this.#hasBody = true;
    this.#isBlocked = !this.#exchange.chunk(bytes) || this.#isBlocked;
    const written = rest.find((each) => typeof each === "function");
    if (written) queueMicrotask(() => void written());
    return !this.#isBlocked;
  }

  #end(rest: readonly unknown[]): unknown {
    this.#begin();
    const [chunk, encoding] = typeof rest[0] === "function" ? [] : rest;
    const bytes = chunk ? bytesOf(chunk, encoding) : "";
    if (this.#passes || bytes === undefined) return this.#sink.end(...rest);
    if (this.#hasEnded) return this.#response;
    this.#hasEnded = true;
    const finished = rest.find((each) => typeof each === "function");
    if (finished) this.#response.once("finish", () => void finished());
    this.#exchange.end(bytes === "" ? undefined : bytes);
    return this.#response;
  }

  #flushHeaders(): void {
    this.#begin();
    if (this.#passes) return this.#sink.flushHeaders();
    this.#hasBody = true;
    this.#exchange.flush();
  }

  #release(released: ReleasedReply | undefined): void {
    if (!released) return;
    const { head, chunks, complete } = released;
    if (this.#hasReason && head.status !== this.#response.statusCode) this.#response.statusMessage = "";
    replaceHead(this.#response, head);
    if (complete) this.#writeAll(chunks);
    else this.#writeFirst(chunks);
  }

  #writeAll(chunks: ReleasedReply["chunks"]): void {
    for (const chunk of chunks.slice(0, -1)) this.#sink.write(chunk);
    this.#sink.end(chunks.at(-1));
    this.#isBlocked = false;
  }

  #writeFirst(chunks: ReleasedReply["chunks"]): void {
    let hasRoom = true;
    for (const chunk of chunks) hasRoom = this.#sink.write(chunk);
    if (chunks.length === 0 && this.#hasBody) this.#sink.flushHeaders();
    if (this.#isBlocked && hasRoom) queueMicrotask(() => this.#response.emit("drain"));
    this.#isBlocked = !hasRoom;
  }
}

/** What Node throws when a head is written twice. */
function headersSent(): Error {
  const message = "Cannot write headers after they are sent to the client";
  return Object.assign(new Error(message), { code: "ERR_HTTP_HEADERS_SENT" });
}

/** Undefined for what Node refuses to write: it shall say so itself. */
function bytesOf(chunk: unknown, encoding: unknown): string | Uint8Array | undefined {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk !== "string") return undefined;
  const isUtf8 = typeof encoding !== "string" || /^utf-?8$/i.test(encoding);
  return isUtf8 ? chunk : Buffer.from(chunk, encoding as BufferEncoding);
}

/** Reads a property as it was before it is redefined on the object itself. */
function getter(target: object, name: string): () => boolean {
  let owner: object | null = target;
  while (owner && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner) as object | null;
  const before = owner ? Object.getOwnPropertyDescriptor(owner, name) : undefined;
  return () => before?.get?.call(target) === true;
}
