import { Ending } from "./ending.ts";
import { httpEvents } from "./events.ts";
import { isHeld, type Phase } from "./exchange-phase.ts";
import { renderSafely, type ExchangeSettings } from "./exchange-settings.ts";
import type { HttpGuard, Outcome, Settlement, StreamedOutcome, Verdict } from "./guard.ts";
import { patchHeaders } from "./header-patch.ts";
import { HeldBody } from "./held-body.ts";
import { isPromise } from "./promise.ts";
import { wholeReply, type Decision, type Release, type ReleasedReply } from "./release.ts";
import { announcedBytes, hasNoBody, isEventStream } from "./reply-traits.ts";
import type { HeaderPatch, ReplyHead } from "./reply.ts";
import type { HttpRequest } from "./request.ts";
import { Settling } from "./settling.ts";
import { checkedPass } from "./verdict.ts";

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
  #settling: Settling | undefined;
  #defaults: HeaderPatch | undefined;
  #leave: (() => void) | undefined;
  #release: Release | undefined;
  #head: ReplyHead | undefined;
  #body: HeldBody | undefined;
  #hasEnded = false;
  readonly #ending = new Ending();

  constructor(guard: HttpGuard, request: HttpRequest, settings: ExchangeSettings) {
    this.#guard = guard;
    this.#request = request;
    this.#settings = settings;
  }

  /** Whether the guard is still to hear how the request ends, or its reply is not complete. */
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
    this.#body ??= new HeldBody();
  }

  /** The head of the reply is known. Called again before it was sent, it begins the reply anew. */
  head(head: ReplyHead): void {
    if (!this.isOpen || this.#hasEnded) return;
    if (this.#phase === "flowing" && this.#settling?.isDone) return;
    this.#head = head;
    this.#body?.take();
    if (this.#phase === "flowing" || this.#phase === "settling") return;
    this.#phase = "holding";
    const stream = this.#isBodyless(head) ? undefined : this.#streamKind(head);
    if (stream) this.#letGo(stream, head);
  }

  /**
   * A piece of the reply, not the last one. Bytes are kept as they are until they are sent; text is UTF-8.
   *
   * @returns Whether more may come at once. Otherwise it should wait until the reply is released.
   */
  chunk(chunk: string | Uint8Array): boolean {
    const head = this.#head;
    if (!head || !isHeld(this.#phase) || this.#hasEnded || this.#isBodyless(head)) return true;
    this.#body?.add(chunk);
    if (this.#isOverCap) this.#letGo("over-cap", head);
    else this.flush();
    return !isHeld(this.#phase) || this.#phase === "holding";
  }

  /** The handler wants the head to be sent before the body is complete. Does nothing for a guard that needs the body. */
  flush(): void {
    const head = this.#head;
    if (!head || this.#phase !== "holding" || this.#needsBody || this.#isBodyless(head)) return;
    this.#settleHeld(this.#ending.streamed("streamed", head));
  }

  /** The handler has written all of its reply: `last` is the last piece of it, or all of it. */
  end(last?: string | Uint8Array): void {
    const head = this.#head;
    if (!head || !this.isOpen || this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#phase === "flowing") {
      this.#endFlow(head);
      return;
    }
    if (last !== undefined && !this.#isBodyless(head)) this.#body?.add(last);
    if (this.#isOverCap) this.#letGo("over-cap", head);
    else if (this.#phase === "holding") {
      this.#settleHeld(this.#ending.replied(head, this.#needsBody ? this.#body?.whole() : undefined));
    }
  }

  /** The handler threw. What it wrote before is dropped, unless it has been sent. The reply that follows is an error. */
  fail(error: unknown): void {
    if (!this.isOpen || this.#hasEnded) return;
    this.#ending.fail(error);
    this.#body?.take();
    if (this.#phase !== "holding") return;
    this.#phase = "handling";
    this.#head = undefined;
  }

  /** The connection has closed. Harmless after a complete reply. */
  gone(): void {
    const phase = this.#phase;
    this.#phase = "over";
    this.#leave?.();
    this.#body?.take();
    this.#settling?.tell(this.#ending.cutOff(this.#head));
    this.#ending.cut();
    if (phase !== "flowing" && phase !== "over") this.#handOver(undefined);
  }

  get #needsBody(): boolean {
    return this.#guard.needs.reply === "body";
  }

  get #isOverCap(): boolean {
    const length = this.#body?.length ?? 0;
    return this.#phase === "holding" && this.#needsBody && length > this.#settings.maxHeldBytes;
  }

  /** Why this reply must not be held, if so. */
  #streamKind(head: ReplyHead): StreamedOutcome["kind"] | undefined {
    if (isEventStream(head)) return "streamed";
    return this.#needsBody && announcedBytes(head) > this.#settings.maxHeldBytes ? "over-cap" : undefined;
  }

  #isBodyless({ status }: ReplyHead): boolean {
    return hasNoBody(this.#request.method, status);
  }

  #decideLater(verdict: Promise<Verdict>): Promise<Decision> {
    return new Promise((resolve) => {
      this.#leave = () => resolve(undefined);
      verdict.then((known) => this.#decide(known)).then(resolve, (error: unknown) => resolve(this.#refuse(error)));
    });
  }

  #decide(verdict: Verdict): Decision {
    const pass = "reply" in verdict ? undefined : checkedPass(verdict);
    const hasGone = this.#phase === "over";
    this.#phase = "over";
    if (pass?.settle) {
      this.#settling = new Settling(this.#guard, pass, this.#settings);
      this.#defaults = pass.headers;
      if (hasGone) this.#settling.tell({ kind: "aborted" });
      else this.#phase = this.#guard.needs.reply === "nothing" ? "flowing" : "handling";
    }
    return hasGone ? undefined : verdict;
  }

  #refuse(error: unknown): Decision {
    if (this.#phase === "over") return undefined;
    this.#phase = "over";
    httpEvents.publish({ type: "before-failed", guard: this.#guard.name, error });
    return { reply: renderSafely(this.#settings, error, this.#request) };
  }

  #endFlow(head: ReplyHead): void {
    this.#phase = "over";
    this.#settling?.tell(this.#isBodyless(head) ? this.#ending.replied(head, undefined) : this.#ending.flowed(head));
    this.#ending.complete();
  }

  #letGo(kind: StreamedOutcome["kind"], head: ReplyHead): void {
    const outcome = this.#ending.streamed(kind, head);
    this.#deliver(head);
    this.#settling?.tell(outcome);
  }

  #settleHeld(outcome: Outcome): void {
    this.#phase = "settling";
    this.#settling?.ask(outcome, {
      settled: (settlement) => this.#send(settlement),
      failed: (error) => (this.#phase === "settling" ? this.#replace(error) : undefined),
    });
  }

  #send(settlement: Settlement | undefined): void {
    if (!this.#head || this.#phase !== "settling") return;
    const { status, headers } = this.#head;
    this.#deliver({ status, headers: patchHeaders(headers, settlement?.headers) });
  }

  #deliver(head: ReplyHead): void {
    const complete = this.#hasEnded;
    const chunks = this.#body?.take() ?? [];
    this.#phase = complete ? "over" : "flowing";
    if (complete) this.#ending.complete();
    const failure = this.#handOver({ head, chunks, complete });
    if (failure) this.#replace(failure.error);
  }

  /** Sends an error in place of the reply that was held. */
  #replace(error: unknown): void {
    this.#phase = "over";
    this.#body?.take();
    this.#ending.fail(error);
    this.#ending.complete();
    this.#handOver(wholeReply(renderSafely(this.#settings, error, this.#request), this.#defaults));
  }

  #handOver(reply: ReleasedReply | undefined): { readonly error: unknown } | undefined {
    try {
      this.#release?.(reply);
      return undefined;
    } catch (error) {
      httpEvents.publish({ type: "release-failed", guard: this.#guard.name, error });
      return { error };
    }
  }
}
