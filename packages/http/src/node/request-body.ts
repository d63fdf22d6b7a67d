import { BodyConsumedError, BodyTooLargeError } from "../errors.ts";
import type { NodeRequest, NodeRequestEvent } from "../outgoing/messages.ts";

const bodies = new WeakMap<object, Promise<Uint8Array>>();

/**
 * The body of a request, byte for byte as it came. It stays in the stream, so that the framework's own parser finds it
 * as if nobody had read it.
 *
 * @throws `ERR_SLUICE_HTTP_BODY_TOO_LARGE` above `maxBytes`, before more is read than that.
 * @throws `ERR_SLUICE_HTTP_BODY_CONSUMED` when something else has read it, and {@link keepBody} did not keep it.
 */
export function readBody(request: NodeRequest, maxBytes: number): Promise<Uint8Array> {
  const known = bodies.get(request);
  const body = known ? known.then((bytes) => within(bytes, maxBytes)) : read(request, maxBytes);
  if (!known) bodies.set(request, body);
  return body;
}

/** Keeps a body that a parser has read. Bytes that it has decompressed are not those that came, and are not kept. */
export function keepBody(request: NodeRequest, bytes: Uint8Array): void {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "identity" && !bodies.has(request)) bodies.set(request, Promise.resolve(bytes));
}

async function read(request: NodeRequest, maxBytes: number): Promise<Uint8Array> {
  if (hasNoBody(request)) return new Uint8Array();
  if (request.readableDidRead) throw new BodyConsumedError();
  if (Number(request.headers["content-length"]) > maxBytes) throw new BodyTooLargeError(maxBytes);
  return new Promise((resolve, reject) => new BodyReader(request, maxBytes, { resolve, reject }));
}

function within(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length > maxBytes) throw new BodyTooLargeError(maxBytes);
  return bytes;
}

function hasNoBody({ headers, stream }: NodeRequest): boolean {
  if (stream) return false;
  return headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
}

interface Reading {
  resolve(bytes: Uint8Array): void;
  reject(error: unknown): void;
}

/** Reads to the end of a stream, and puts everything back before the stream has said that it ended. */
class BodyReader {
  readonly #request: NodeRequest;
  readonly #maxBytes: number;
  readonly #reading: Reading;
  readonly #listeners: Readonly<Record<NodeRequestEvent, (error?: unknown) => void>>;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(request: NodeRequest, maxBytes: number, reading: Reading) {
    this.#request = request;
    this.#maxBytes = maxBytes;
    this.#reading = reading;
    const fail = (error?: unknown): void => this.#fail(error ?? new Error("The client went away amid its body."));
    this.#listeners = { readable: () => this.#pull(), end: () => this.#finish(), close: fail, error: fail };
    for (const [event, listener] of this.#events()) request.on(event, listener);
  }

  #pull(): void {
    for (let chunk = this.#request.read(); chunk !== null; chunk = this.#request.read()) {
      if (!(chunk instanceof Uint8Array)) return this.#fail(new BodyConsumedError());
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      if (this.#length > this.#maxBytes) return this.#fail(new BodyTooLargeError(this.#maxBytes));
    }
    // A stream ends in the next tick, unless there is something in it again.
    const { complete, stream } = this.#request;
    if (!(stream ? stream.readableEnded : complete)) return;
    const bytes = this.#finish();
    if (bytes.length > 0) this.#request.unshift(bytes);
  }

  #finish(): Uint8Array {
    this.#leave();
    const bytes = Buffer.concat(this.#chunks, this.#length);
    this.#reading.resolve(bytes);
    return bytes;
  }

  #fail(error: unknown): void {
    this.#leave();
    this.#reading.reject(error);
  }

  #leave(): void {
    for (const [event, listener] of this.#events()) this.#request.off(event, listener);
  }

  #events(): [NodeRequestEvent, (error?: unknown) => void][] {
    return Object.entries(this.#listeners) as [NodeRequestEvent, (error?: unknown) => void][];
  }
}
