import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";

/** What came back on one stream. */
export interface Http2Response {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A session of HTTP/2 without encryption, with prior knowledge. */
export class Http2Client implements AsyncDisposable {
  readonly #session: ClientHttp2Session;

  constructor(port: number) {
    this.#session = connect(`http://127.0.0.1:${port}`);
    this.#session.on("error", () => undefined);
  }

  /** Opens a stream. */
  open(headers: Readonly<Record<string, string>>, body?: string): ClientHttp2Stream {
    const stream = this.#session.request({ ":path": "/", ...headers }, { endStream: body === undefined });
    stream.on("error", () => undefined);
    if (body !== undefined) stream.end(body);
    return stream;
  }

  async request(headers: Readonly<Record<string, string>>, body?: string): Promise<Http2Response> {
    const stream = this.open(headers, body);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingHttpHeaders>();
    stream.on("response", resolve);
    stream.on("close", () => reject(new Error("The stream closed without a response.")));
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = Promise.withResolvers<void>();
    stream.on("end", () => ended.resolve());
    const answered = await promise;
    await ended.promise;
    return { headers: answered, body: Buffer.concat(chunks) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#session.on("close", () => closed.resolve());
    this.#session.destroy();
    await closed.promise;
  }
}
