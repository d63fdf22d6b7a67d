import { cacheGuard, type CacheGuard, type CacheGuardOptions, type Freshness } from "@sluice/cache/http";
import type { HttpGuard, HttpReply, HttpRequest, Outcome, PassVerdict, ReplyHeaders } from "@sluice/http";

import { withoutTraceId, withTraceId } from "./trace-mark.ts";

/** How replies of a route are cached. */
export type PublicReplyOptions<Params> = Omit<CacheGuardOptions<Params>, "freshness" | "isPrivate">;

// Caches on the way cannot be told of a change: they ask again soon, and have something to show meanwhile.
const freshness: Freshness = { sMaxage: "5s", staleWhileRevalidate: "30s" };

/** Whether a request says who it is from: its reply is not shared, and its reader expects what is theirs. */
export function isPersonal({ authorization, cookie }: Credentials): boolean {
  return authorization !== undefined || cookie !== undefined;
}

interface Credentials {
  readonly authorization?: string | undefined;
  readonly cookie?: string | undefined;
}

/**
 * Answers the public GETs of a route from the cache. Replies are stored without what is one request's own, its id in
 * the body and the origin that a browser names, so that everybody gets theirs and an entity tag tells of content alone.
 */
export function publicReply<Params>(options: PublicReplyOptions<Params>): CacheGuard<Params> {
  const guard = cacheGuard({ ...options, freshness, isPrivate });
  return { ...guard, before: (request) => decide(guard, request) };
}

function isPrivate(request: HttpRequest): boolean {
  return isPersonal({ authorization: request.header("authorization"), cookie: request.header("cookie") });
}

async function decide(guard: HttpGuard, request: HttpRequest) {
  const verdict = await guard.before(request);
  return "reply" in verdict ? { reply: repliedTo(request, verdict.reply) } : passed(request, verdict);
}

function repliedTo({ id }: HttpRequest, reply: HttpReply): HttpReply {
  return reply.body instanceof Uint8Array ? { ...reply, body: withTraceId(reply.body, id) } : reply;
}

function passed({ id }: HttpRequest, verdict: PassVerdict): PassVerdict {
  const { headers } = verdict;
  if (verdict.settle === undefined) return verdict;
  // The server forbids every cache until a route says otherwise. This one does.
  return {
    ...verdict,
    headers: { "cache-control": null, ...headers },
    settle: (outcome) => verdict.settle?.(shared(outcome, id)),
  };
}

function shared(outcome: Outcome, id: string): Outcome {
  if (outcome.kind !== "replied") return outcome;
  const { head, body } = outcome;
  return {
    ...outcome,
    head: { ...head, headers: withoutOrigin(head.headers) },
    ...(body === undefined ? {} : { body: withoutTraceId(body, id) }),
  };
}

/** Headers of CORS are made for each request anew, whatever is stored. */
function withoutOrigin({ vary = [], ...headers }: ReplyHeaders): ReplyHeaders {
  const others = [vary]
    .flat()
    .flatMap((value) => value.split(","))
    .map((name) => name.trim())
    .filter((name) => name.toLowerCase() !== "origin" && name !== "");
  return others.length === 0 ? headers : { ...headers, vary: others.join(", ") };
}
