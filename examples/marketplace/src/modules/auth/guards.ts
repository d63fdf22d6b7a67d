import { Failure } from "../../http/failure.ts";
import { setPrincipal, type Guard, type Guards, type Principal } from "../../http/principal.ts";
import type { Bearer, CheckBearer } from "./bearer.ts";
import { unauthenticated } from "./refusal.ts";
import type { SessionRepository } from "./session-repository.ts";

/** What tells who somebody is. */
export interface GuardOptions {
  readonly check: CheckBearer;
  readonly sessions: Pick<SessionRepository, "principal">;
}

/**
 * Guards that read `Authorization: Bearer`. A token says who it was issued to; whether that still holds is asked of the
 * database on each request, so that logging out, a new role and a deleted account count at once. One round trip.
 */
export function createGuards({ check: checkToken, sessions }: GuardOptions): Guards {
  async function identify(request: Bearer): Promise<Principal> {
    const verified = await checkToken(request);
    if (verified === undefined) throw unauthenticated("UNAUTHENTICATED", "This needs an access token");
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
      const principal = await identify(request);
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

function invalidToken(): Failure {
  return unauthenticated("TOKEN_INVALID", "The access token is not valid");
}
