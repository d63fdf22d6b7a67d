import { hasCode, InvalidArgumentError } from "@sluice/core";
import {
  addressGroup,
  errorReply,
  HttpError,
  type ErrorProfile,
  type HttpGuard,
  type HttpRequest,
  type Outcome,
  type PassVerdict,
  type Verdict,
} from "@sluice/http";

import type { Decision } from "./decision.ts";
import { rateLimitHeaders, retryAfterSeconds, type HeaderVersion } from "./headers.ts";
import { checkedCount } from "./limit.ts";
import type { RateLimiter } from "./limiter-options.ts";
import { byIp, byUser, type Subject } from "./subject.ts";

declare module "@sluice/http" {
  /** What this guard tells handlers. */
  interface GuardContext {
    /** The decision that let the request pass, to be settled or refunded by the handler. */
    readonly rateLimit: Decision;
  }
}

/** How {@link rateLimitGuard} limits. */
export interface RateLimitGuardOptions<Name extends string> {
  /** Decides. */
  readonly limiter: Pick<RateLimiter<Name>, "consume" | "policies">;
  /** The policy of a request; `undefined` where there is none for it. */
  readonly policy: Name | ((request: HttpRequest) => Name | undefined);
  /** `address` before authentication, to shed load early; `principal` after it, where users are known. */
  readonly stage: "address" | "principal";
  /** Whom a request counts for; `undefined` for nobody. Default {@link byAddress} or {@link byUserElseAddress}, by stage. */
  readonly by?: (request: HttpRequest) => Subject | undefined;
  /** What a request costs. Default 1. */
  readonly cost?: number | ((request: HttpRequest) => number);
  /**
   * What it turns out to cost once the reply is known, such as 0 for a login that succeeded. Default: what it cost.
   */
  readonly settle?: (outcome: Outcome, request: HttpRequest) => number;
  /** Default `draft-10`. */
  readonly headers?: HeaderVersion;
  /** How a denial is rendered. Default `sluice`. */
  readonly profile?: ErrorProfile;
  /** Names the guard in errors and route tables. Default `rate-limit`. */
  readonly name?: string;
}

/**
 * The client's address as a subject: an IPv4 address, or the /64 of an IPv6 address, of which one host has 2^64. Requests
 * without a known address are one subject.
 */
export function byAddress({ address }: Pick<HttpRequest, "address">): Subject {
  return byIp(address === undefined ? undefined : (addressGroup(address) ?? address));
}

/** The user, or the client's address for who is not authenticated. */
export function byUserElseAddress(request: Pick<HttpRequest, "address" | "principal">): Subject {
  return request.principal === undefined ? byAddress(request) : byUser(request.principal);
}

/**
 * Limits in front of a handler. A denial is a 429 with `Retry-After` and the body
 * `{"ok":false,"error":{"code":"RATE_LIMITED","retry_after_seconds":12},"trace_id":"…"}`; a store that failed under
 * `onStoreError: "deny"` a 503, `RATE_LIMIT_UNAVAILABLE`. What passes carries the headers of its limits, errors too.
 * Slots are held until the request has ended, on every path.
 *
 * It needs neither body nor reply. One round trip per request.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option: a policy, a cost, a stage or headers that are none.
 */
export function rateLimitGuard<Name extends string>(options: RateLimitGuardOptions<Name>): HttpGuard {
  checkGuardOptions(options);
  const { limiter, policy, stage, name = "rate-limit", cost = 1 } = options;
  const by = options.by ?? (stage === "address" ? byAddress : byUserElseAddress);

  async function before(request: HttpRequest): Promise<Verdict> {
    const chosen = typeof policy === "function" ? policy(request) : policy;
    const subject = chosen === undefined ? undefined : by(request);
    if (chosen === undefined || subject === undefined) return { pass: true };
    const price = typeof cost === "function" ? cost(request) : cost;
    let decision: Decision;
    try {
      decision = await limiter.consume(chosen, subject, { cost: price, signal: request.signal });
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal) return { reply: errorReply(refusal, request, replyOptions) };
      throw error;
    }
    if (!decision.allowed) return { reply: errorReply(denialOf(decision, options), request, replyOptions) };
    return passOf(decision, request);
  }

  function passOf(decision: Decision, request: HttpRequest): PassVerdict {
    const headers = rateLimitHeaders(decision, headerOptions);
    const pass: PassVerdict = { pass: true, headers, context: { rateLimit: decision } };
    const holdsSlot = decision.limits.some(({ kind }) => kind === "concurrency");
    if (!holdsSlot && !options.settle) return pass;
    return {
      ...pass,
      async settle(outcome) {
        try {
          if (options.settle) await decision.settle(options.settle(outcome, request));
        } finally {
          await decision.release();
        }
        return undefined;
      },
    };
  }

  const headerOptions = options.headers === undefined ? {} : { version: options.headers };
  const replyOptions = options.profile === undefined ? {} : { profile: options.profile };
  return { name, stage, needs: { requestBody: false, reply: "nothing" }, before };
}

function checkGuardOptions<Name extends string>(options: RateLimitGuardOptions<Name>): void {
  const { limiter, policy, stage, cost = 1, headers = "draft-10" } = options;
  const stages: readonly string[] = ["address", "principal"];
  if (!stages.includes(stage)) throw new InvalidArgumentError("stage", '"address" or "principal"', stage);
  if (typeof policy !== "function" && !Object.hasOwn(limiter.policies, policy)) {
    throw new InvalidArgumentError("policy", `one of ${Object.keys(limiter.policies).join(", ")}`, policy);
  }
  if (typeof cost !== "function") checkedCount("cost", cost);
  const versions: readonly string[] = ["draft-10", "legacy", "off"];
  if (!versions.includes(headers)) throw new InvalidArgumentError("headers", '"draft-10", "legacy" or "off"', headers);
}

// Registered by draft-ietf-httpapi-ratelimit-headers.
const problems = "https://iana.org/assignments/http-problem-types#";

function denialOf(decision: Decision, { headers }: { readonly headers?: HeaderVersion }): HttpError {
  return new HttpError({
    status: 429,
    code: "RATE_LIMITED",
    headers: rateLimitHeaders(decision, headers === undefined ? {} : { version: headers }),
    details: { retry_after_seconds: retryAfterSeconds(decision.retryAfterMs) },
    problem: {
      type: `${problems}quota-exceeded`,
      title: "Request cannot be satisfied as assigned quota has been exceeded",
    },
    detail: { message: "Too many requests." },
  });
}

function refusalOf(error: unknown): HttpError | undefined {
  if (hasCode(error, "ERR_SLUICE_RATE_LIMIT_UNAVAILABLE")) {
    const title = "Request cannot be satisfied due to temporary server capacity constraints";
    const problem = { type: `${problems}temporary-reduced-capacity`, title };
    const headers = { "retry-after": "1" };
    return new HttpError({ status: 503, code: "RATE_LIMIT_UNAVAILABLE", headers, problem, cause: error });
  }
  if (!hasCode(error, "ERR_SLUICE_COST_EXCEEDS_LIMIT")) return undefined;
  return new HttpError({ status: 429, code: "COST_EXCEEDS_LIMIT", cause: error });
}
