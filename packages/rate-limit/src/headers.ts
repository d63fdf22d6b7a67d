import { systemClock, type Clock } from "@sluice/core";

import type { Decision, LimitStatus } from "./decision.ts";

/**
 * Which headers tell a client of its limits. `draft-10`: `RateLimit-Policy` and `RateLimit`, lists with all limits
 * ({@link https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10 | draft 10}; names may change
 * until it is an RFC, hence the version). `legacy`: `X-RateLimit-Limit`, `-Remaining` and `-Reset` of the tightest
 * limit. `off`: none.
 */
export type HeaderVersion = "draft-10" | "legacy" | "off";

/** How {@link rateLimitHeaders} writes. */
export interface HeaderOptions {
  /** Default `draft-10`. */
  readonly version?: HeaderVersion;
  /** For the moment in `X-RateLimit-Reset`. Default: the clock of this machine. */
  readonly clock?: Pick<Clock, "now">;
}

/**
 * The headers of a reply, by lower-case name. A denial has `retry-after` and `cache-control: no-store` in every version.
 *
 * `t` of `RateLimit` is the seconds until more quota, where none is left; `x-ratelimit-reset` the second of the epoch
 * by which there is more.
 *
 * @example
 * ```ts
 * import { byUser, createRateLimiter, rateLimitHeaders, window } from "@sluice/rate-limit";
 *
 * const limiter = createRateLimiter({ policies: { browse: window({ limit: 120, per: "1m" }) } });
 * const headers = rateLimitHeaders(await limiter.consume("browse", byUser("42")));
 * headers["ratelimit-policy"]; // => '"browse";q=120;w=60'
 * headers["ratelimit"]; // => '"browse";r=119'
 * ```
 */
export function rateLimitHeaders(decision: Decision, options: HeaderOptions = {}): Record<string, string> {
  const { version = "draft-10", clock = systemClock } = options;
  const limits = version === "off" ? [] : decision.limits;
  return {
    ...(version === "draft-10" ? draft10(limits) : legacy(limits, clock.now())),
    ...(decision.allowed
      ? {}
      : { "retry-after": String(retryAfterSeconds(decision.retryAfterMs)), "cache-control": "no-store" }),
  };
}

/** A wait as `Retry-After` has it: whole seconds, rounded up, never 0 (RFC 9110, 10.2.3). */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1000));
}

/** The body of a 429. */
export interface RateLimitBody {
  readonly ok: false;
  readonly error: { readonly code: "RATE_LIMITED"; readonly retry_after_seconds: number };
  readonly trace_id: string;
}

/**
 * The body of a 429, with the same seconds as its `Retry-After`.
 *
 * @param traceId - The request's id, as in its `X-Request-Id`.
 */
export function rateLimitBody({ retryAfterMs }: Decision, traceId: string): RateLimitBody {
  const error = { code: "RATE_LIMITED", retry_after_seconds: retryAfterSeconds(retryAfterMs) } as const;
  return { ok: false, error, trace_id: traceId };
}

// Names need no escapes: they are letters, digits and _ . - only.
function draft10(limits: readonly LimitStatus[]): Record<string, string> {
  if (limits.length === 0) return {};
  return {
    "ratelimit-policy": limits.map(policyItem).join(", "),
    ratelimit: limits.map(quotaItem).join(", "),
  };
}

function policyItem({ name, kind, limit, perMs, refill }: LimitStatus): string {
  if (kind === "concurrency") return `"${name}";q=${limit};qu="concurrent-requests"`;
  const windowMs = kind === "bucket" ? (limit * perMs) / refill : perMs;
  return `"${name}";q=${limit};w=${retryAfterSeconds(windowMs)}`;
}

function quotaItem({ name, remaining, nextMs }: LimitStatus): string {
  return `"${name}";r=${remaining}${remaining > 0 ? "" : `;t=${retryAfterSeconds(nextMs)}`}`;
}

function legacy(limits: readonly LimitStatus[], nowMs: number): Record<string, string> {
  const [first, ...others] = limits;
  if (!first) return {};
  const { limit, remaining, nextMs, perMs } = others.reduce(tighter, first);
  const resetMs = nowMs + (remaining > 0 ? perMs : nextMs);
  return {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": String(Math.ceil(resetMs / 1000)),
  };
}

function tighter(one: LimitStatus, other: LimitStatus): LimitStatus {
  if (one.remaining !== other.remaining) return one.remaining < other.remaining ? one : other;
  return one.nextMs >= other.nextMs ? one : other;
}
