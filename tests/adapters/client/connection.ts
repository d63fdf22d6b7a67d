import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { parseResponse, type WireResponse } from "./response.ts";

/** A connection on which a test decides about every byte. */
export class Connection implements AsyncDisposable {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on("close", () => (this.#ended = true));
    // A reset is what some tests are about: what came before it stays readable.
    socket.on("error", () => undefined);
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new Connection(socket);
  }

  /** Everything that came and was not read as a response. */
  get received(): string {
    return this.#whole().toString("latin1");
  }

  /** Whether the server has closed the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The next response, once it is complete. `method` is that of its request: HEAD has no body. */
  async response(method = "GET"): Promise<WireResponse> {
    for (;;) {
      const parsed = parseResponse(this.#whole(), method, this.#ended);
      if (parsed) {
        this.#chunks = [parsed.rest];
        return parsed.response;
      }
      if (this.#ended) throw new Error(`The connection closed before a whole response: ${this.received}`);
      await this.#more();
    }
  }

  /** Resolves when `text` has come, or with everything that came when the connection closes before. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text) && !this.#ended) await this.#more();
    return this.received;
  }

  /** Resolves when the server has closed the connection. */
  async closed(): Promise<void> {
    if (!this.#ended) await once(this.socket, "close");
  }

  /** Breaks the connection, without a farewell. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed();
  }

  #whole(): Buffer {
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  async #more(): Promise<void> {
    const abandoned = new AbortController();
    const { signal } = abandoned;
    await Promise.race([once(this.socket, "data", { signal }), once(this.socket, "close", { signal })]).finally(() =>
      abandoned.abort(),
    );
  }
}
