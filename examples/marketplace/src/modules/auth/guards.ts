import { Failure } from "../../http/failure.ts";
import { setPrincipal, type Guard, type Guards, type Principal } from "../../http/principal.ts";
import type { AccessTokens } from "./access-token.ts";
import { unauthenticated } from "./refusal.ts";
import type { SessionRepository } from "./session-repository.ts";

/** What tells who somebody is. */
export interface GuardOptions {
  readonly accessTokens: AccessTokens;
  readonly sessions: Pick<SessionRepository, "principal">;
}

const form = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Guards that read `Authorization: Bearer`. A token says who it was issued to; whether that still holds is asked of the
 * database on each request, so that logging out, a new role and a deleted account count at once. One round trip.
 */
export function createGuards({ accessTokens, sessions }: GuardOptions): Guards {
  async function identify(authorization: string | undefined): Promise<Principal> {
    if (authorization === undefined) throw unauthenticated("UNAUTHENTICATED", "This needs an access token");
    const [, token = ""] = form.exec(authorization) ?? [];
    const verified = await accessTokens.verify(token);
    if (!verified.ok) {
      throw verified.reason === "expired"
        ? unauthenticated("TOKEN_EXPIRED", "The access token has expired, refresh it")
        : invalidToken();
    }
    const principal = await sessions.principal(verified.session);
    if (principal === undefined) throw invalidToken();
    return principal;
  }

  function guard(check: (principal: Principal) => void): Guard {
    return async (request) => {
      const principal = await identify(request.headers.authorization);
      check(principal);
      setPrincipal(request, principal);
    };
  }

  return {
    user: guard(() => undefined),
    seller: guard(({ sellerId }) => {
      if (sellerId === null) throw new Failure(403, ["SELLER_REQUIRED", "Open a shop first, with POST /api/sellers"]);
    }),
    admin: guard(({ role }) => {
      if (role !== "admin") throw new Failure(403, ["ADMIN_REQUIRED", "Only administrators may do this"]);
    }),
  };
}

/**
 * Who an `Authorization` header's access token was issued to, as far as the token itself can prove it; undefined for
 * anything else. No round trip.
 */
export async function callerOf(accessTokens: AccessTokens, authorization = ""): Promise<string | undefined> {
  const [, token] = form.exec(authorization) ?? [];
  const verified = token === undefined ? undefined : await accessTokens.verify(token);
  return verified?.ok ? verified.session.userId : undefined;
}

function invalidToken(): Failure {
  return unauthenticated("TOKEN_INVALID", "The access token is not valid");
}
