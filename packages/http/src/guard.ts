import type { HeaderPatch, HttpReply, ReplyHead } from "./reply.ts";
import type { HttpRequest } from "./request.ts";

/**
 * Something that stands before a handler: a limit, a cached reply, an idempotency key. It answers in the handler's
 * place or lets the request pass, and may hear how the request ended. Adapters run guards and know nothing about them.
 */
export interface HttpGuard {
  /** Names the guard in errors and in route tables, as in `rate-limit`. */
  readonly name: string;
  /** `address` runs before authentication, `principal` after it. */
  readonly stage: "address" | "principal";
  readonly needs: GuardNeeds;
  /** Decides about a request, before its handler and before its body is parsed. */
  before(request: HttpRequest): Verdict | Promise<Verdict>;
}

/** What an adapter must keep for a guard. It keeps no more than that. */
export interface GuardNeeds {
  /** Whether {@link HttpRequest.body} is there. */
  readonly requestBody: boolean;
  /**
   * How much of the reply is held back until {@link PassVerdict.settle} has returned. With `nothing`, the reply is on
   * its way meanwhile. Event streams, and bodies above the adapter's cap, are never held.
   */
  readonly reply: "nothing" | "head" | "body";
}

/** What a guard decides. */
export type Verdict = ReplyVerdict | PassVerdict;

/** The guard answers. The handler does not run. */
export interface ReplyVerdict {
  readonly reply: HttpReply;
}

/** The handler runs. */
export interface PassVerdict {
  readonly pass: true;
  /** Set on whatever reply follows, an error's too. The handler's own value of a header wins. */
  readonly headers?: HeaderPatch;
  /** Reaches the handler, merged with that of the other guards: `req.sluice`, `request.sluice`, `c.get("sluice")`. */
  readonly context?: Readonly<Partial<GuardContext>>;
  /**
   * Hears how the request ended: exactly once, on every path. A guard that needs the head hears when that is known, one
   * that needs the body when that is complete, one that needs nothing when the reply is over. It may patch the head of
   * a reply that is held. When it throws, a held reply becomes a 500 and any other reply stands.
   */
  settle?(outcome: Outcome): Settlement | undefined | Promise<Settlement | undefined>;
}

/** What guards tell handlers. Each package that exports a guard adds its own member by module augmentation. */
// oxlint-disable-next-line typescript/no-empty-object-type -- members come by augmentation
export interface GuardContext {}

/** What is changed in a held reply. Ignored where the head has been sent. */
export interface Settlement {
  readonly headers?: HeaderPatch;
}

/** How a request that passed a guard ended. */
export type Outcome =
  | RepliedOutcome
  | StreamedOutcome
  /** The handler threw. `head` is that of the error reply, or of what had been sent by then. */
  | { readonly kind: "failed"; readonly error: unknown; readonly head: ReplyHead }
  /** The client went away before the handler had written all of its reply. It may still be running. */
  | { readonly kind: "aborted" };

/** The handler answered. */
export interface RepliedOutcome {
  readonly kind: "replied";
  readonly head: ReplyHead;
  /** There when the guard needs it: empty for a reply without a body. */
  readonly body?: Uint8Array;
}

/**
 * `streamed` is an event stream, or a reply whose handler writes it piece by piece: its head is known, its body was
 * not held. `over-cap` is a body that grew above the cap while it was held: it was let go, and is not known.
 */
export interface StreamedOutcome {
  readonly kind: "streamed" | "over-cap";
  readonly head: ReplyHead;
  /**
   * How it ended at last, as a guard that needs nothing of the reply hears it. It never rejects, and may take as long
   * as a stream lasts.
   */
  readonly ended: Promise<Outcome>;
}
