import type { FastifyRequest } from "fastify";

/** Who a request acts for. */
export interface Principal {
  readonly userId: string;
  readonly role: "user" | "admin";
  /** The user's shop, where there is one. */
  readonly sellerId: string | null;
}

/** The `onRequest` of a route that lets only some in, before the body is read. */
export type Guard = (request: Pick<FastifyRequest, "headers">) => Promise<void>;

/** Who may be let in. */
export interface Guards {
  /** Anybody with an account. */
  readonly user: Guard;
  /** Who has a shop. */
  readonly seller: Guard;
  readonly admin: Guard;
}

/** For the schema of a guarded route. */
export const bearer = { security: [{ bearer: [] }] };

const principals = new WeakMap<object, Principal>();

/** Notes who a request acts for. */
export function setPrincipal(request: object, principal: Principal): void {
  principals.set(request, principal);
}

/** Who a request acts for, under a {@link Guard}. */
export function principalOf(request: object): Principal {
  const principal = principals.get(request);
  if (principal === undefined) throw new Error("The route has no guard");
  return principal;
}
