import type { Verdict } from "./guard.ts";
import { defaultHeaders } from "./header-patch.ts";
import { bytesOf } from "./held-body.ts";
import type { HeaderPatch, HttpReply, ReplyHead } from "./reply.ts";

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

/** A reply that needs no more, with `defaults` for the headers that it lacks. */
export function wholeReply({ status, headers, body }: HttpReply, defaults: HeaderPatch | undefined): ReleasedReply {
  const chunks = body === undefined || body.length === 0 ? [] : [bytesOf(body)];
  return { head: { status, headers: defaultHeaders(headers, defaults) }, chunks, complete: true };
}
