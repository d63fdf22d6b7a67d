import { systemClock, systemRandom } from "@sluice/core";
import type { SqlDatabase } from "@sluice/postgres";
import type { FastifyRequest } from "fastify";

import type { AuthConfig } from "../../config/auth-config.ts";
import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { createAccessTokens } from "./access-token.ts";
import { accountRepository } from "./account-repository.ts";
import { type Argon2Cost, deriveTag } from "./argon2.ts";
import { callerOf, checkBearer } from "./bearer.ts";
import { createGuards } from "./guards.ts";
import { createPasswordHasher, type PasswordHasher } from "./password-hasher.ts";
import { authRoutes } from "./routes.ts";
import { authService } from "./service.ts";
import { sessionRepository } from "./session-repository.ts";

export { issueSessions } from "./issue-sessions.ts";
export { ensureAdministrator, ensureSeedPassword } from "./prepared-accounts.ts";

/** Accounts and sessions: who may do what. */
export interface AuthModule {
  readonly routes: (server: Server) => void;
  /** For the routes of other modules. */
  readonly guards: Guards;
  /** Who a request's access token was issued to, without asking whether that still holds. No round trip. */
  readonly caller: (request: Pick<FastifyRequest, "headers">) => Promise<string | undefined>;
  /** The work of the job `session_gc`. Safe to run twice. */
  readonly collectGarbage: () => Promise<void>;
}

/** What auth decides by. */
export interface AuthModuleOptions extends AuthConfig {
  readonly secretKey: string;
  /** Whether browsers reach the service over HTTPS. */
  readonly secureCookies: boolean;
}

/** Auth over a database. */
export function authModule(sql: SqlDatabase, options: AuthModuleOptions): AuthModule {
  const { accessTtlMs, refreshTtlMs, refreshLeewayMs, secureCookies, argon2 } = options;
  const sessions = sessionRepository(sql, refreshTtlMs);
  const accessTokens = createAccessTokens({ ...options, ttlMs: accessTtlMs, clock: systemClock });
  const check = checkBearer(accessTokens);
  const guards = createGuards({ check, sessions });
  const service = authService({
    accounts: accountRepository(sql),
    sessions,
    hasher: passwordHasher(argon2),
    accessTokens,
    random: systemRandom,
    refreshLeewayMs,
  });
  return {
    routes: (server) => authRoutes(server, service, { guards, accessTtlMs, refreshTtlMs, secureCookies }),
    guards,
    caller: (request) => callerOf(check, request),
    collectGarbage: () => sessions.collectGarbage(),
  };
}

/** Hashes passwords at a cost, on this machine. */
export function passwordHasher(cost: Argon2Cost): PasswordHasher {
  return createPasswordHasher({ cost, derive: deriveTag, random: systemRandom });
}
