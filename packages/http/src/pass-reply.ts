import type { Exchange } from "./exchange.ts";
import { joined } from "./held-body.ts";
import type { ReleasedReply } from "./release.ts";
import type { ReplyHead } from "./reply.ts";

/** A body as frameworks hand it over. */
export type ReplyBody = string | Uint8Array | ReadableStream<Uint8Array> | undefined;

/** A reply that a guard has let go. */
export interface PassedReply {
  /** Replaces the head that the handler made. */
  readonly head: ReplyHead;
  readonly body: ReplyBody;
}

/**
 * Takes a reply through an exchange, for frameworks whose handlers return one: reports it piece by piece, waits while
 * it is held, and says what to send. A stream that need not be held goes through as it comes, and cancelling it
 * cancels its source. Report {@link Exchange.gone} when the connection closes before that.
 *
 * @returns Undefined when the client has gone meanwhile.
 * @throws Whatever a stream's source throws while it is held. It has been reported to {@link Exchange.fail}.
 */
export async function passReply(
  exchange: Exchange,
  head: ReplyHead,
  body: ReplyBody,
): Promise<PassedReply | undefined> {
  const { promise: released, resolve } = Promise.withResolvers<ReleasedReply | undefined>();
  if (exchange.flows) resolve({ head, chunks: [], complete: false });
  else exchange.hold(resolve);
  exchange.head(head);
  if (body instanceof ReadableStream) return new Source(exchange, body).pass(released);
  exchange.end(body);
  const reply = await released;
  return reply && { head: reply.head, body: reply.complete ? whole(reply.chunks) : body };
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Step = Awaited<ReturnType<Reader["read"]>>;

class Source {
  readonly #exchange: Exchange;
  readonly #reader: Reader;
  /** A piece that has been asked for, and not been passed on. */
  #next: Promise<Step> | undefined;

  constructor(exchange: Exchange, stream: ReadableStream<Uint8Array>) {
    this.#exchange = exchange;
    this.#reader = stream.getReader();
  }

  async pass(released: Promise<ReleasedReply | undefined>): Promise<PassedReply | undefined> {
    this.#exchange.flush();
    try {
      await this.#fill(released);
    } catch (error) {
      this.#exchange.fail(error);
      throw error;
    }
    const reply = await released;
    if (reply?.complete === false) return { head: reply.head, body: this.#rest(reply.chunks) };
    this.#cancel(undefined);
    return reply && { head: reply.head, body: whole(reply.chunks) };
  }

  /** Reports pieces until the exchange lets go, or there are no more. */
  async #fill(released: Promise<unknown>): Promise<void> {
    const letGo = released.then(() => undefined);
    let mayRead = true;
    while (mayRead && this.#exchange.isOpen && !this.#exchange.flows) {
      this.#next ??= this.#reader.read();
      const step = await Promise.race([this.#next, letGo]);
      if (step === undefined) return;
      this.#next = undefined;
      if (step.done) return this.#exchange.end();
      mayRead = this.#exchange.chunk(step.value);
    }
  }

  #rest(held: readonly Uint8Array[]): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (controller) => {
        for (const chunk of held) controller.enqueue(chunk);
      },
      pull: (controller) => this.#pull(controller),
      cancel: (reason) => {
        this.#exchange.gone();
        this.#cancel(reason);
      },
    });
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const step = await (this.#next ?? this.#reader.read());
      this.#next = undefined;
      if (!step.done) return controller.enqueue(step.value);
      this.#exchange.end();
      controller.close();
    } catch (error) {
      this.#exchange.fail(error);
      this.#exchange.gone();
      controller.error(error);
    }
  }

  #cancel(reason: unknown): void {
    // What it still does, or throws, reaches nobody.
    void this.#next?.catch(() => undefined);
    void this.#reader.cancel(reason).catch(() => undefined);
  }
}

function whole(chunks: readonly Uint8Array[]): Uint8Array | undefined {
  return chunks.length === 0 ? undefined : joined(chunks);
}
