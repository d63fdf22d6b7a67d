import type { Random } from "@sluice/core";

import { Failure, notFound } from "../../http/failure.ts";
import type { Log } from "../../http/log.ts";
import type { AccessTokens } from "./access-token.ts";
import type { AccountRepository } from "./account-repository.ts";
import type { Account, Login, Registration } from "./account.ts";
import type { PasswordHasher } from "./password-hasher.ts";
import {
  drawRefreshToken,
  openSuccessor,
  readRefreshToken,
  sealSuccessor,
  type RefreshToken,
} from "./refresh-token.ts";
import { unauthenticated } from "./refusal.ts";
import { verdictOn } from "./rotation.ts";
import type { LockedFamily, Session, SessionRepository } from "./session-repository.ts";

/** The two tokens of a session. */
export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** A session that has just begun, and whose it is. */
export interface NewSession extends TokenPair {
  readonly user: Account;
}

/** Accounts and sessions. */
export interface AuthService {
  /** @throws a 409 where the address has an account. */
  register(registration: Omit<Registration, "use_cookie">): Promise<NewSession>;
  /** @throws a 401, the same and after the same work for an unknown address as for a wrong password. */
  logIn(login: Omit<Login, "use_cookie">): Promise<NewSession>;
  /** @throws a 401, whatever is wrong with the token; where it was used before, its session has ended as well. */
  refresh(token: string, log: Pick<Log, "warn">): Promise<TokenPair>;
  /** Ends the session of a refresh token. A token of none is no failure. */
  logOut(token: string): Promise<void>;
  logOutEverywhere(userId: string): Promise<void>;
  account(userId: string): Promise<Account>;
}

/** What the rules need. */
export interface AuthServiceOptions {
  readonly accounts: AccountRepository;
  readonly sessions: SessionRepository;
  readonly hasher: PasswordHasher;
  readonly accessTokens: AccessTokens;
  readonly random: Random;
  /** For how long a refresh token that was replaced gives its successor again. */
  readonly refreshLeewayMs: number;
}

/** The rules over the repositories. */
export function authService(options: AuthServiceOptions): AuthService {
  const { accounts, sessions, hasher, accessTokens, random } = options;

  async function begin(userId: string): Promise<NewSession> {
    const token = drawRefreshToken(random);
    const session = await sessions.open(userId, token);
    const user = session && (await accounts.byId(userId));
    // Deleted since the password was checked.
    if (session === undefined || user === undefined) throw invalidCredentials();
    return { user, accessToken: await accessTokens.issue(session), refreshToken: token.text };
  }

  return {
    async register({ password, ...person }) {
      const passwordHash = await hasher.hash(password);
      const userId = await accounts.create({ ...person, passwordHash });
      if (userId === undefined) throw new Failure(409, ["EMAIL_TAKEN", "This e-mail address has an account already"]);
      return begin(userId);
    },
    async logIn({ email, password }) {
      const known = await accounts.credentialsOf(email);
      const matches = await hasher.verify(password, known?.passwordHash);
      if (!matches || known === undefined) throw invalidCredentials();
      if (!hasher.isCurrent(known.passwordHash)) await accounts.rehash(known, await hasher.hash(password));
      return begin(known.userId);
    },
    refresh: (text, log) => refresh(options, text, log),
    async logOut(text) {
      const token = readRefreshToken(text);
      if (token !== undefined) await sessions.close(token);
    },
    logOutEverywhere: (userId) => sessions.closeAll(userId, "logout_all"),
    async account(userId) {
      const found = await accounts.byId(userId);
      if (found === undefined) throw notFound("Account");
      return found;
    },
  };
}

interface Refreshed {
  readonly session: Session;
  readonly token: RefreshToken;
}

async function refresh(options: AuthServiceOptions, text: string, log: Pick<Log, "warn">): Promise<TokenPair> {
  const { sessions, accessTokens } = options;
  const token = readRefreshToken(text);
  const outcome = token && (await sessions.withFamily(token, (family) => exchange(options, token, family)));
  if (outcome === undefined || outcome === "refuse") throw invalidRefresh();
  // Thrown only now: thrown in the transaction, it would undo the end of the family.
  if ("stolenFrom" in outcome) {
    log.warn({ user_id: outcome.stolenFrom }, "A refresh token was used twice: its session has ended");
    throw invalidRefresh();
  }
  return { accessToken: await accessTokens.issue(outcome.session), refreshToken: outcome.token.text };
}

type Outcome = Refreshed | "refuse" | { readonly stolenFrom: string };

/** Exchanges a token for its successor, in the transaction that holds its family. */
async function exchange(
  { random, refreshLeewayMs }: AuthServiceOptions,
  token: RefreshToken,
  family: LockedFamily,
): Promise<Outcome> {
  const { successor, ...session } = family.token;
  const verdict = verdictOn(session, refreshLeewayMs);
  if (verdict === "refuse") return "refuse";
  if (verdict === "repeat" && successor !== null) return { session, token: openSuccessor(token, successor) };
  if (verdict === "rotate") {
    const next = drawRefreshToken(random);
    await family.rotate(next, sealSuccessor(token, next, random));
    return { session, token: next };
  }
  await family.revoke();
  return { stolenFrom: session.userId };
}

function invalidCredentials(): Failure {
  return unauthenticated("INVALID_CREDENTIALS", "E-mail address or password is wrong");
}

function invalidRefresh(): Failure {
  return unauthenticated("REFRESH_INVALID", "The refresh token is not valid any more, log in again");
}
