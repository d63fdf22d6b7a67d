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
  return reply && { head: reply.head, body: reply.complete ? joinedOrNone(reply.chunks) : body };
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Step = Awaited<ReturnType<Reader["read"]>>;

class Source {
  readonly #exchange: Exchange;
  readonly #reader: Reader;
  /** What has been asked for, and not been passed on. */
  readonly #ahead: Promise<Step>[] = [];

  constructor(exchange: Exchange, stream: ReadableStream<Uint8Array>) {
    this.#exchange = exchange;
    this.#reader = stream.getReader();
  }

  async pass(released: Promise<ReleasedReply | undefined>): Promise<PassedReply | undefined> {
    let whole: Uint8Array | undefined;
    try {
      whole = await this.#whole();
      if (whole) this.#exchange.end(whole);
      else await this.#fill(released);
    } catch (error) {
      this.#exchange.fail(error);
      throw error;
    }
    const reply = await released;
    if (reply?.complete === false) return { head: reply.head, body: whole ?? this.#rest(reply.chunks) };
    this.#cancel(undefined);
    return reply && { head: reply.head, body: joinedOrNone(reply.chunks) };
  }

  /** All of the body, where all of it is there: frameworks make a stream of a text, too, which is not meant as one. */
  async #whole(): Promise<Uint8Array | undefined> {
    const [first, second] = [this.#reader.read(), this.#reader.read()];
    // Whoever takes the piece gets the error.
    for (const step of [first, second]) step.catch(() => undefined);
    this.#ahead.push(first, second);
    const steps = await Promise.race([Promise.all([first, second]), soon()]);
    if (!steps?.[1].done) return undefined;
    return steps[0].value ?? new Uint8Array();
  }

  /** Reports pieces until the exchange lets go, or there are no more. */
  async #fill(released: Promise<unknown>): Promise<void> {
    const letGo = released.then(() => undefined);
    this.#exchange.flush();
    let mayRead = true;
    while (mayRead && this.#isHeld) {
      if (this.#ahead.length === 0) this.#ahead.push(this.#reader.read());
      const step = await Promise.race([this.#ahead[0], letGo]);
      // What comes while the exchange lets go is the first piece of the rest.
      if (step === undefined || !this.#isHeld) return;
      void this.#ahead.shift();
      if (step.done) return this.#exchange.end();
      mayRead = this.#exchange.chunk(step.value);
    }
  }

  get #isHeld(): boolean {
    return this.#exchange.isOpen && !this.#exchange.flows;
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
      const step = await (this.#ahead.shift() ?? this.#reader.read());
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
    for (const step of this.#ahead) void step.catch(() => undefined);
    void this.#reader.cancel(reason).catch(() => undefined);
  }
}

/** After a few steps of promises, which is when a text that was made a stream has been read. */
async function soon(): Promise<undefined> {
  for (let step = 0; step < 8; step += 1) await Promise.resolve();
}

function joinedOrNone(chunks: readonly Uint8Array[]): Uint8Array | undefined {
  return chunks.length === 0 ? undefined : joined(chunks);
}
