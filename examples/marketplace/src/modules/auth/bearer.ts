import type { FastifyRequest } from "fastify";

import type { AccessTokens, Verified } from "./access-token.ts";

/** A request, as far as it says who sent it. */
export type Bearer = Pick<FastifyRequest, "headers">;

/** Checks the access token of a request. Undefined without an `Authorization`; invalid where it has another form. */
export type CheckBearer = (request: Bearer) => Promise<Verified | undefined>;

const form = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Checks each request once, whoever asks: the limiter does first, and then the guard of the route. */
export function checkBearer({ verify }: Pick<AccessTokens, "verify">): CheckBearer {
  const checked = new WeakMap<Bearer, Promise<Verified>>();
  return async (request) => {
    const { authorization } = request.headers;
    if (authorization === undefined) return undefined;
    const known = checked.get(request);
    if (known) return known;
    const [, token] = form.exec(authorization) ?? [];
    if (token === undefined) return { ok: false, reason: "invalid" };
    const verified = verify(token);
    checked.set(request, verified);
    return verified;
  };
}

/** Who a request's access token was issued to, as far as the token itself can prove it. No round trip. */
export async function callerOf(check: CheckBearer, request: Bearer): Promise<string | undefined> {
  const verified = await check(request);
  return verified?.ok === true ? verified.session.userId : undefined;
}
