import { hasCode } from "@sluice/core";
import {
  HttpError,
  parseCacheControl,
  type HeaderPatch,
  type HttpGuard,
  type HttpRequest,
  type Outcome,
  type PassVerdict,
  type ReplyHead,
  type Settlement,
  type Verdict,
} from "@sluice/http";

import type { Cache } from "../cache.ts";
import type { CacheRead } from "../entry.ts";
import type { CacheScope } from "../scope.ts";
import type { GenerationTarget, InvalidationTarget } from "../target.ts";
import { freshnessHeader, type Freshness } from "./freshness.ts";
import { guardScope, type Asked, type GuardScope, type GuardScopeOptions } from "./guard-scope.ts";
import { isCrowded } from "./query.ts";
import { headersOf, replyTo, type ReplyHeadersOptions } from "./reply-headers.ts";
import { storedReply, type StoredReply } from "./stored-reply.ts";
import { variantsOf, type Variants, type Vary } from "./variants.ts";

/** Options of {@link cacheGuard}: those of a scope, and what concerns HTTP. */
export interface CacheGuardOptions<Params> extends GuardScopeOptions<Params> {
  /** Where replies are stored. */
  readonly cache: Cache;
  /** Name of the scope and of the guard. */
  readonly name: string;
  /** What a request asks for; undefined when it is not to be cached. Read nothing here that is not in `vary`. */
  readonly params: (request: HttpRequest) => Params | undefined;
  /** The request headers that replies differ by. A reply whose own `Vary` names others is not stored. Default: none. */
  readonly vary?: Vary;
  /** How long caches on the way may keep a reply. Default: not without asking. */
  readonly freshness?: Freshness;
  /** Whether a request is somebody's own. Default: one with `Authorization` or `Cookie`. */
  readonly isPrivate?: (request: HttpRequest) => boolean;
}

/** A guard that answers public GETs from a cache. */
export interface CacheGuard<Params> extends HttpGuard {
  /** What to invalidate when what a request asks for has changed: all of its variants. */
  entry(params: Params): InvalidationTarget;
  /** Everything that was stored. */
  all(): GenerationTarget;
  /** As of the scope. */
  group: CacheScope<Params, unknown>["group"];
}

/** The reply turned out to be nobody's but the one's that asked. */
class NotStoredError extends Error {}

const ownReply: HeaderPatch = { "cache-control": "private, no-store" };
// What is set beforehand looks like the handler's own when its reply is judged, and so must not be Cache-Control.
const notYet: HeaderPatch = { expires: "0" };

/**
 * Answers public GETs and HEADs from a cache, and stores what their handlers reply: 200 to a request that is nobody's
 * own, without `Set-Cookie`, without a `Cache-Control` that forbids it, and as whole as the adapter could hold. All
 * else is `private, no-store`, unless the handler says otherwise, and so is the reply to a request with more than 64
 * query parameters. The head of a stream, and of a reply that is too large to be held, goes out before that is known:
 * it has `Expires: 0` instead.
 *
 * One handler runs for all who ask for the same at once, in all processes. Past its time, with `stale.onError`, one
 * request runs the handler and the others get `STALE`. A 304 needs neither handler nor database. What clients say in
 * `Cache-Control` is not heard: it would let anybody make the database work.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 * @example
 * ```ts
 * import { createCache, paramsKey } from "@sluice/cache";
 * import { cacheGuard, queryOf } from "@sluice/cache/http";
 * import { testRequest, throughGuard } from "@sluice/http/testing";
 *
 * await using cache = createCache();
 * const guard = cacheGuard({
 *   cache,
 *   name: "feed",
 *   prefix: "v1:feed",
 *   key: paramsKey<{ page: string }>(),
 *   params: (request) => ({ page: String(queryOf(request)["page"] ?? 1) }),
 *   ttl: "1m",
 * });
 * const feed = { status: 200, headers: { "content-type": "application/json" }, body: "[]" };
 * (await throughGuard(guard, testRequest({ url: "/feed?page=1" }), feed)).headers["x-cache"]; // => "MISS"
 * (await throughGuard(guard, testRequest({ url: "/feed?page=1" }), feed)).headers["x-cache"]; // => "HIT"
 * ```
 */
export function cacheGuard<Params>(options: CacheGuardOptions<Params>): CacheGuard<Params> {
  const { cache, name, params: paramsOf, vary = {}, freshness = {}, isPrivate = hasCredentials, ...rest } = options;
  const variants = variantsOf(vary);
  const scope = guardScope(cache, { ...rest, name, varies: variants.header !== undefined });
  const shown = { cacheControl: freshnessHeader(freshness), vary: variants.header };

  /** What a request asks for; undefined for one that is not to be cached, or asks for what can have no key. */
  function askedBy(request: HttpRequest): Asked<Params> | undefined {
    if ((request.method !== "GET" && request.method !== "HEAD") || isPrivate(request) || isCrowded(request))
      return undefined;
    try {
      const params = paramsOf(request);
      if (params === undefined) return undefined;
      const asked = { params, variant: variants.of(request) };
      scope.values.entry(asked);
      return asked;
    } catch {
      return undefined;
    }
  }

  async function before(request: HttpRequest): Promise<Verdict> {
    const asked = askedBy(request);
    if (!asked) return { pass: true, headers: { ...ownReply, "x-cache": "BYPASS" } };
    const lead = leadIn(scope, asked, request);
    try {
      const read = await Promise.race([lead.reading, lead.begun]);
      if (read) return { reply: replyTo(request, read, shown) };
    } catch (error) {
      return afterFailure(error);
    }
    return { ...passing("MISS"), settle: (outcome) => settle(lead, outcome, { ...shown, variants }) };
  }

  return {
    name,
    stage: "address",
    needs: { requestBody: false, reply: "body" },
    before,
    entry: (params) => scope.target(params),
    all: () => scope.values.all(),
    group: (value) => scope.values.group(value),
  };
}

async function settle(
  { reading, turn }: Lead,
  outcome: Outcome,
  { variants, ...shown }: ReplyHeadersOptions & { readonly variants: Variants },
): Promise<Settlement | undefined> {
  const isStorable = outcome.kind === "replied" && isShared(outcome.head) && variants.covers(outcome.head.headers);
  if (!isStorable) {
    turn.reject(new NotStoredError());
    return ownIfUndecided(outcome);
  }
  turn.resolve(storedReply(outcome));
  // Stored before it is sent: whoever has seen this reply finds it.
  const read = await reading.catch(() => undefined);
  return { headers: read ? { ...headersOf(read, shown), expires: null } : ownReply };
}

/** A read that either finds something, or makes this request the one that loads. */
interface Lead {
  readonly reading: Promise<CacheRead<StoredReply>>;
  /** Resolves when the handler is to run for this request. */
  readonly begun: Promise<undefined>;
  /** What the handler has made of it. */
  readonly turn: PromiseWithResolvers<StoredReply>;
}

function leadIn<Params>({ values }: GuardScope<Params>, asked: Asked<Params>, request: HttpRequest): Lead {
  const begun = Promise.withResolvers<undefined>();
  const turn = Promise.withResolvers<StoredReply>();
  turn.promise.catch(() => {});
  const reading = values.read(asked, {
    load: () => {
      // The reply to a HEAD has no body to store.
      if (request.method === "HEAD") throw new NotStoredError();
      begun.resolve(undefined);
      return turn.promise;
    },
  });
  reading.catch(() => {});
  return { reading, begun: begun.promise, turn };
}

function passing(mark: string): PassVerdict {
  return { pass: true, headers: { ...notYet, "x-cache": mark }, settle: ownIfUndecided };
}

/** Forbids caches to keep a reply whose handler has not said what they may do. */
function ownIfUndecided(outcome: Outcome): Settlement | undefined {
  if (!("head" in outcome) || outcome.head.headers["cache-control"] !== undefined) return undefined;
  return { headers: ownReply };
}

/** Somebody else's handler has failed, or may not be waited for any longer: this request runs its own. */
function afterFailure(error: unknown): Verdict {
  if (error instanceof NotStoredError || hasCode(error, "ERR_SLUICE_CACHE_LOAD_TIMEOUT")) return passing("MISS");
  if (hasCode(error, "ERR_SLUICE_CACHE_CLOSED")) return passing("BYPASS");
  if (hasCode(error, "ERR_SLUICE_CACHE_OVERLOADED") || hasCode(error, "ERR_SLUICE_CACHE_UNAVAILABLE")) {
    throw new HttpError({ status: 503, code: "CACHE_UNAVAILABLE", headers: { "retry-after": "1" }, cause: error });
  }
  throw error;
}

function hasCredentials(request: HttpRequest): boolean {
  return request.header("authorization") !== undefined || request.header("cookie") !== undefined;
}

const forbidding = ["no-store", "private", "no-cache"];

/** Whether a reply may be anybody's. */
function isShared({ status, headers }: ReplyHead): boolean {
  if (status !== 200 || headers["set-cookie"] !== undefined) return false;
  const given = [headers["cache-control"] ?? []].flat().join(", ");
  const directives = parseCacheControl(given);
  return !forbidding.some((name) => name in directives);
}
