import { errorReply } from "./error-reply.ts";
import { SettleTimeoutError } from "./errors.ts";
import { httpEvents } from "./events.ts";
import type { ExchangeSettings } from "./exchange-settings.ts";
import type { HttpGuard, Outcome, PassVerdict, Settlement, StreamEnd, Verdict } from "./guard.ts";
import { defaultHeaders, patchHeaders } from "./header-patch.ts";
import type { HttpReply, ReplyHead } from "./reply.ts";
import { announcedBytes, bytesOf, hasNoBody, isEventStream, joined } from "./reply-traits.ts";
import type { HttpRequest } from "./request.ts";

/** What an adapter does next: send the reply, run the handler, or nothing, because the client has gone. */
export type Decision = Verdict | undefined;

/** What is sent at last of a reply that was held. */
export interface ReleasedReply {
  /** The whole head, patched by the guard: it replaces every header that the handler has set. */
  readonly head: ReplyHead;
  /** What was held of the body, in order. */
  readonly chunks: readonly Uint8Array[];
  /** Nothing follows. Otherwise, whatever the handler writes from now on goes to the client directly. */
  readonly complete: boolean;
}

/** Sends what was held, or nothing when the client has gone. Called at most once more, if it throws. */
export type Release = (reply: ReleasedReply | undefined) => void;

/**
 * - `deciding`: the guard has not decided.
 * - `handling`: the handler runs, and nothing of its reply is known.
 * - `holding`: the head of the reply is known, and held.
 * - `settling`: the reply is held until `settle` has returned.
 * - `flowing`: the reply goes to the client directly.
 * - `over`: nothing that happens matters to the guard any more.
 */
type Phase = "deciding" | "handling" | "holding" | "settling" | "flowing" | "over";

/**
 * One request that goes through one guard: the rules of {@link HttpGuard}, for adapters. An adapter reports what
 * happens, in whatever order it happens, and does what it is told. Nothing here throws, and no rejection is left
 * unhandled. O(1) per call, plus what is held: at most `maxHeldBytes` and the chunk that goes above it.
 *
 * 1. {@link begin}, and do what it says. When the handler runs while {@link isOpen} is false, that was all.
 * 2. While {@link flows}, let the reply pass. Report {@link head} and {@link end} once it is complete, or {@link gone}.
 * 3. Otherwise {@link hold}, and report {@link head}, {@link chunk} and {@link end} instead of sending them, until
 *    {@link flows} is true; then send, and report {@link end}. Whatever comes, report {@link gone} when the connection
 *    has closed.
 * 4. Report to {@link fail} what a handler throws, before the reply that tells the client of it.
 */
export class Exchange {
  readonly #guard: HttpGuard;
  readonly #request: HttpRequest;
  readonly #settings: ExchangeSettings;
  #phase: Phase = "deciding";
  #verdict: PassVerdict | undefined;
  #isSettled = false;
  #head: ReplyHead | undefined;
  #chunks: Uint8Array[] = [];
  #heldBytes = 0;
  #hasEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #endStream: ((end: StreamEnd) => void) | undefined;
  #leave: (() => void) | undefined;
  #release: Release | undefined;

  constructor(guard: HttpGuard, request: HttpRequest, settings: ExchangeSettings) {
    this.#guard = guard;
    this.#request = request;
    this.#settings = settings;
  }

  /** Whether the guard is still to hear how the request ends. */
  get isOpen(): boolean {
    return this.#phase !== "deciding" && this.#phase !== "over";
  }

  /** Whether what the handler writes goes to the client directly. */
  get flows(): boolean {
    return this.#phase === "flowing";
  }

  /**
   * Asks the guard. What it throws becomes a reply, and the event `before-failed`. A promise only when the guard takes
   * its time; it resolves to undefined as soon as the client has {@link gone}, whatever the guard does then.
   */
  begin(): Decision | Promise<Decision> {
    try {
      const verdict = this.#guard.before(this.#request);
      return isPromise(verdict) ? this.#decideLater(verdict) : this.#decide(verdict);
    } catch (error) {
      return this.#refuse(error);
    }
  }

  /** Says how the reply is sent that is held from now on. */
  hold(release: Release): void {
    this.#release = release;
  }

  /** The head of the reply is known. Called again before it was sent, it begins the reply anew. */
  head(head: ReplyHead): void {
    if (this.#phase === "flowing" && !this.#isSettled) this.#head = head;
    if (!this.#isHeld || this.#hasEnded) return;
    this.#head = head;
    this.#drop();
    if (this.#phase === "settling") return;
    this.#phase = "holding";
    if (hasNoBody(this.#request.method, head.status)) return;
    if (isEventStream(head)) this.#letGo("streamed", head);
    else if (this.#needsBody && announcedBytes(head) > this.#settings.maxHeldBytes) this.#letGo("over-cap", head);
  }

  /**
   * A piece of the reply, not the last one. Bytes are kept as they are until they are sent; text is UTF-8.
   *
   * @returns Whether more may come at once. Otherwise it should wait until the reply is released.
   */
  chunk(chunk: string | Uint8Array): boolean {
    const head = this.#head;
    if (!head || !this.#isHeld || this.#hasEnded || hasNoBody(this.#request.method, head.status)) return true;
    this.#keep(chunk);
    if (this.#phase === "holding" && !this.#needsBody) this.#settleHeld(this.#streamed("streamed", head));
    else if (this.#isOverCap) this.#letGo("over-cap", head);
    return !this.#isSettling;
  }

  /** The handler wants the head to be sent before it has any of the body. */
  flush(): void {
    const head = this.#head;
    if (!head || this.#phase !== "holding" || this.#needsBody || hasNoBody(this.#request.method, head.status)) return;
    this.#settleHeld(this.#streamed("streamed", head));
  }

  /** The handler has written all of its reply: `last` is the last piece of it, or all of it. */
  end(last?: string | Uint8Array): void {
    const head = this.#head;
    if (this.#hasEnded || !head || !this.isOpen) return;
    this.#hasEnded = true;
    if (this.#phase === "flowing") return this.#endFlow(head);
    if (last !== undefined && !hasNoBody(this.#request.method, head.status)) this.#keep(last);
    if (this.#phase === "settling") return;
    if (this.#isOverCap) this.#letGo("over-cap", head);
    else this.#settleHeld(this.#replied(head));
  }

  /** The handler threw. What it wrote before is dropped, unless it has been sent. The reply that follows is an error. */
  fail(error: unknown): void {
    if (!this.isOpen || this.#hasEnded) return;
    this.#failure ??= { error };
    if (!this.#isHeld) return;
    this.#drop();
    if (this.#phase === "holding") this.#phase = "handling";
  }

  /** The connection has closed. Harmless after a complete reply. */
  gone(): void {
    const phase = this.#phase;
    this.#phase = "over";
    if (phase === "deciding") this.#leave?.();
    if (phase === "deciding" || phase === "over") return;
    this.#drop();
    if (!this.#isSettled) this.#settleUnheld(this.#cutOff());
    this.#endStream?.(this.#failure ? "failed" : "aborted");
    if (phase !== "flowing") this.#release?.(undefined);
  }

  get #needsBody(): boolean {
    return this.#guard.needs.reply === "body";
  }

  get #isSettling(): boolean {
    return this.#phase === "settling";
  }

  get #isHeld(): boolean {
    return this.#phase === "handling" || this.#phase === "holding" || this.#phase === "settling";
  }

  get #isOverCap(): boolean {
    return this.#phase === "holding" && this.#needsBody && this.#heldBytes > this.#settings.maxHeldBytes;
  }

  #keep(chunk: string | Uint8Array): void {
    const bytes = bytesOf(chunk);
    this.#chunks.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #drop(): void {
    this.#chunks = [];
    this.#heldBytes = 0;
  }

  #decideLater(verdict: Promise<Verdict>): Promise<Decision> {
    return new Promise((resolve) => {
      this.#leave = () => resolve(undefined);
      verdict.then((known) => this.#decide(known)).then(resolve, (error: unknown) => resolve(this.#refuse(error)));
    });
  }

  #decide(verdict: Verdict): Decision {
    const hasGone = this.#phase === "over";
    this.#phase = "over";
    if ("reply" in verdict) return hasGone ? undefined : verdict;
    if (!verdict.settle) return hasGone ? undefined : verdict;
    this.#verdict = verdict;
    if (hasGone) return void this.#settleUnheld({ kind: "aborted" });
    this.#phase = this.#guard.needs.reply === "nothing" ? "flowing" : "handling";
    return verdict;
  }

  #refuse(error: unknown): Decision {
    if (this.#phase === "over") return undefined;
    this.#phase = "over";
    httpEvents.publish({ type: "before-failed", guard: this.#guard.name, error });
    return { reply: this.#errorReply(error) };
  }

  #errorReply(error: unknown): HttpReply {
    try {
      return this.#settings.renderError(error, this.#request);
    } catch {
      return errorReply(error, this.#request);
    }
  }

  #replied(head: ReplyHead): Outcome {
    if (this.#failure) return { kind: "failed", error: this.#failure.error, head };
    return { kind: "replied", head, ...(this.#needsBody ? { body: joined(this.#chunks) } : {}) };
  }

  #streamed(kind: "streamed" | "over-cap", head: ReplyHead): Outcome {
    if (this.#failure) return { kind: "failed", error: this.#failure.error, head };
    const ended = new Promise<StreamEnd>((resolve) => {
      this.#endStream = resolve;
    });
    return { kind, head, ended };
  }

  #cutOff(): Outcome {
    if (!this.#failure || !this.#head) return { kind: "aborted" };
    return { kind: "failed", error: this.#failure.error, head: this.#head };
  }

  #endFlow(head: ReplyHead): void {
    this.#phase = "over";
    const isStream = isEventStream(head) && !hasNoBody(this.#request.method, head.status);
    if (!this.#isSettled) this.#settleUnheld(isStream ? this.#streamed("streamed", head) : this.#replied(head));
    this.#endStream?.(this.#failure ? "failed" : "complete");
  }

  #letGo(kind: "streamed" | "over-cap", head: ReplyHead): void {
    const outcome = this.#streamed(kind, head);
    this.#deliver({ head, chunks: this.#chunks, complete: this.#hasEnded });
    this.#settleUnheld(outcome);
  }

  #settleUnheld(outcome: Outcome): void {
    this.#isSettled = true;
    const report = (error: unknown): void => this.#report(outcome, error, false);
    try {
      const settlement = this.#verdict?.settle?.(outcome);
      if (isPromise(settlement)) settlement.then(undefined, report);
    } catch (error) {
      report(error);
    }
  }

  #settleHeld(outcome: Outcome): void {
    this.#isSettled = true;
    this.#phase = "settling";
    try {
      const settlement = this.#verdict?.settle?.(outcome);
      if (isPromise(settlement)) this.#await(settlement, outcome);
      else this.#send(settlement);
    } catch (error) {
      this.#spoil(outcome, error);
    }
  }

  #await(settlement: Promise<Settlement | undefined>, outcome: Outcome): void {
    const { clock, settleDeadlineMs } = this.#settings;
    let isLate = false;
    const expire = (): void => {
      isLate = true;
      this.#spoil(outcome, new SettleTimeoutError(this.#guard.name, settleDeadlineMs));
    };
    // In the background: the connection keeps the process alive.
    const timer = clock.schedule(settleDeadlineMs, expire, { background: true });
    const finish = (next: () => void): void => {
      timer.cancel();
      if (!isLate) next();
    };
    settlement.then(
      (patch) => finish(() => this.#send(patch)),
      (error: unknown) => finish(() => this.#spoil(outcome, error)),
    );
  }

  #send(settlement: Settlement | undefined): void {
    const head = this.#head;
    if (!head || !this.#isSettling) return;
    const headers = patchHeaders(head.headers, settlement?.headers);
    this.#deliver({ head: { status: head.status, headers }, chunks: this.#chunks, complete: this.#hasEnded });
  }

  /** The guard failed. Whoever is still there gets an error in place of the reply. */
  #spoil(outcome: Outcome, error: unknown): void {
    this.#report(outcome, error, true);
    if (this.#isSettling) this.#replace(error);
  }

  #report(outcome: Outcome, error: unknown, held: boolean): void {
    httpEvents.publish({ type: "settle-failed", guard: this.#guard.name, outcome: outcome.kind, held, error });
  }

  #deliver(reply: ReleasedReply): void {
    this.#phase = reply.complete ? "over" : "flowing";
    this.#chunks = [];
    if (reply.complete) this.#endStream?.(this.#failure ? "failed" : "complete");
    try {
      this.#release?.(reply);
    } catch (error) {
      httpEvents.publish({ type: "release-failed", guard: this.#guard.name, error });
      this.#replace(error);
    }
  }

  #replace(error: unknown): void {
    this.#phase = "over";
    this.#drop();
    this.#endStream?.("failed");
    const { status, headers, body } = this.#errorReply(error);
    const head = { status, headers: defaultHeaders(headers, this.#verdict?.headers) };
    const chunks = body === undefined || body.length === 0 ? [] : [bytesOf(body)];
    try {
      this.#release?.({ head, chunks, complete: true });
    } catch (failure) {
      httpEvents.publish({ type: "release-failed", guard: this.#guard.name, error: failure });
    }
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as Partial<Promise<T>> | undefined)?.then === "function";
}
