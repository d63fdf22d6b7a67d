import type { Outcome, StreamedOutcome } from "./guard.ts";
import { isEventStream } from "./reply-traits.ts";
import type { ReplyHead } from "./reply.ts";

/** How one request ends, as its guard is told. What has failed once stays failed. */
export class Ending {
  #failure: { readonly error: unknown } | undefined;
  #stream: { readonly head: ReplyHead; end(outcome: Outcome): void } | undefined;

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** The handler has written all of its reply. */
  replied(head: ReplyHead, body: Uint8Array | undefined): Outcome {
    if (this.#failure) return { kind: "failed", error: this.#failure.error, head };
    return body ? { kind: "replied", head, body } : { kind: "replied", head };
  }

  /** The guard is told now, and of the end by {@link complete} or {@link cut}. */
  streamed(kind: StreamedOutcome["kind"], head: ReplyHead): Outcome {
    if (this.#failure) return { kind: "failed", error: this.#failure.error, head };
    const { promise: ended, resolve: end } = Promise.withResolvers<Outcome>();
    this.#stream = { head, end };
    return { kind, head, ended };
  }

  /** A reply that was on its way, and of which the guard has not been told, has ended. */
  flowed(head: ReplyHead): Outcome {
    if (this.#failure || !isEventStream(head)) return this.replied(head, undefined);
    const { promise: ended, resolve: end } = Promise.withResolvers<Outcome>();
    const outcome: Outcome = { kind: "streamed", head, ended };
    end(outcome);
    return outcome;
  }

  /** The connection has closed first. */
  cutOff(head: ReplyHead | undefined): Outcome {
    return this.#failure && head ? { kind: "failed", error: this.#failure.error, head } : { kind: "aborted" };
  }

  /** A stream has ended. */
  complete(): void {
    this.#stream?.end(this.flowed(this.#stream.head));
  }

  /** The connection has closed before a stream has ended. */
  cut(): void {
    this.#stream?.end(this.cutOff(this.#stream.head));
  }
}
