import { guard, sluice } from "@sluice/fastify";
import type { ClientAddressOptions, ErrorProfile, HttpGuard } from "@sluice/http";
import { byAction } from "@sluice/rate-limit";
import { byAddress, byUserElseAddress, rateLimitGuard } from "@sluice/rate-limit/http";
import type { FastifyRequest } from "fastify";

import type { AnyServer } from "../http/server.ts";
import type { Limits } from "./limiter.ts";
import { tierOf } from "./tiers.ts";

/** What limiting needs to know. */
export interface LimitRequestsOptions {
  readonly limiter: Limits["limiter"];
  /** Which proxies are believed about the client's address. */
  readonly proxies: ClientAddressOptions;
  /** How a denial looks. */
  readonly errorProfile: ErrorProfile;
  /** Who sent a request, as far as that can be told without the database. */
  readonly caller: (request: Pick<FastifyRequest, "headers">) => Promise<string | undefined>;
}

/**
 * Limits every request, also those of unknown routes, before the database is asked and before a body is read: first by
 * address, then by user, or by address where there is none. Register it before whatever refuses requests.
 */
export async function limitRequests(server: AnyServer, options: LimitRequestsOptions): Promise<void> {
  const { limiter, proxies, errorProfile: profile, caller } = options;
  const callers = new WeakMap<FastifyRequest, string>();
  const principal = (request: FastifyRequest): string | undefined => callers.get(request);
  await server.register(sluice, { guards: addressGuards(limiter), principal, proxies, profile });
  server.addHook("onRequest", async (request) => {
    const user = await caller(request);
    if (user !== undefined) callers.set(request, user);
  });
  server.addHook("onRequest", guard(callerGuard(limiter)));
}

function addressGuards(limiter: Limits["limiter"]): HttpGuard[] {
  return [
    rateLimitGuard({
      name: "limit-address",
      limiter,
      stage: "address",
      policy: (request) => (tierOf(request) === undefined ? undefined : "address"),
      // What its tier says is what concerns the client.
      headers: "off",
    }),
    rateLimitGuard({
      name: "limit-auth",
      limiter,
      stage: "address",
      policy: (request) => (tierOf(request) === "auth" ? "auth" : undefined),
    }),
  ];
}

function callerGuard(limiter: Limits["limiter"]): HttpGuard {
  return rateLimitGuard({
    name: "limit-caller",
    limiter,
    stage: "principal",
    policy(request) {
      const tier = tierOf(request);
      return tier === "auth" ? undefined : tier;
    },
    by: (request) =>
      tierOf(request) === "flash"
        ? byAction(request.principal ?? byAddress(request).key, "flash-buy")
        : byUserElseAddress(request),
  });
}
