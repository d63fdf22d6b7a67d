import { withTransaction, type Sql, type SqlDatabase } from "@sluice/postgres";

import type { Principal } from "../../http/principal.ts";
import { gathered } from "../../infra/gathered.ts";
import type { RefreshToken } from "./refresh-token.ts";
import type { TokenState } from "./rotation.ts";

/** A login that has not ended, as access tokens name it. */
export interface Session {
  readonly userId: string;
  readonly familyId: string;
  /** Of the account, when the access token is issued. */
  readonly authVersion: number;
}

/** A refresh token with its session, and what replaced it. */
export interface StoredToken extends Session, TokenState {
  readonly successor: Uint8Array | null;
}

/** Why a family has ended. */
export type RevokedFor = "logout" | "logout_all" | "reuse" | "limit" | "password";

/** A family that is locked: nobody else rotates or ends it meanwhile. */
export interface LockedFamily {
  /** The token that it was locked for, as it is now. */
  readonly token: StoredToken;
  /** Makes `next` the token's successor. */
  rotate(next: RefreshToken, sealed: Uint8Array): Promise<void>;
  revoke(): Promise<void>;
}

/** The only place that reads and writes families of refresh tokens. */
export interface SessionRepository {
  /** Begins a session. Undefined where the user is gone. One round trip. */
  open(userId: string, token: RefreshToken): Promise<Session | undefined>;
  /**
   * Runs `work` on the family of a token, in a transaction. What `work` throws undoes what it wrote. Undefined where
   * nobody has issued such a token.
   */
  withFamily<T>(token: RefreshToken, work: (family: LockedFamily) => Promise<T>): Promise<T | undefined>;
  /** Ends the session of a token, if there is one. */
  close(token: RefreshToken): Promise<void>;
  /** Ends all sessions of a user, and makes all access tokens invalid. */
  closeAll(userId: string, why: RevokedFor): Promise<void>;
  /**
   * Who acts in a session; undefined where it has ended, or the account is gone or has changed. One round trip, which
   * those who ask meanwhile share.
   */
  principal(session: Session): Promise<Principal | undefined>;
  /** Forgets what has expired. Safe to run twice, and beside itself. */
  collectGarbage(): Promise<void>;
}

/** How many sessions an account may have. Beyond that the oldest ends. */
export const mostSessions = 20;
const garbageBatch = 5000;

// The new family is not visible to the other parts of its statement, hence one less.
const open = `with person as (select id, auth_version from users where id = $1::uuid),
  family as (insert into refresh_families (id, user_id) select gen_random_uuid(), id from person returning id),
  surplus as (
    update refresh_families set revoked_at = sluice_now(), revoked_for = 'limit' where id in (
      select id from refresh_families where user_id = $1::uuid and revoked_at is null
      order by created_at desc, id desc offset ${mostSessions - 1}
    )
  ),
  token as (
    insert into refresh_tokens (hash, family_id, expires_at)
    select $2, id, sluice_now() + $3::float8 * interval '1 ms' from family
  )
  select person.auth_version as "authVersion", family.id as "familyId" from person, family`;

const lock = `select id from refresh_families
  where id = (select family_id from refresh_tokens where hash = $1) for update`;

// A statement of its own: its snapshot is taken after the lock.
const stored = `select u.id as "userId", f.id as "familyId", u.auth_version as "authVersion",
    f.revoked_at is not null as revoked, t.expires_at <= sluice_now() as expired,
    extract(epoch from sluice_now() - t.rotated_at)::float8 * 1000 as "rotatedMsAgo", t.successor,
    t.rotated_at is not null and t.successor is null as "successorUsed"
  from refresh_tokens t join refresh_families f on f.id = t.family_id join users u on u.id = f.user_id
  where t.hash = $1`;

// The predecessor forgets its successor, which is used now. Kept, it would lead from an old token to the newest.
const rotate = `with next as (
    insert into refresh_tokens (hash, family_id, predecessor, expires_at)
    select $2, family_id, hash, sluice_now() + $4::float8 * interval '1 ms' from refresh_tokens where hash = $1
  ), forgotten as (
    update refresh_tokens set successor = null
    where hash = (select predecessor from refresh_tokens where hash = $1)
  )
  update refresh_tokens set rotated_at = sluice_now(), successor = $3 where hash = $1`;

const revoke = `update refresh_families set revoked_at = sluice_now(), revoked_for = $2
  where id = $1::uuid and revoked_at is null`;

const close = `update refresh_families set revoked_at = sluice_now(), revoked_for = 'logout'
  where id = (select family_id from refresh_tokens where hash = $1) and revoked_at is null`;

// A family goes with the last of its tokens. What is deleted here is still visible to the other parts of the statement.
const garbage = `with expired as (
    delete from refresh_tokens where hash in (
      select hash from refresh_tokens where expires_at <= sluice_now() limit ${garbageBatch} for update skip locked
    ) returning family_id
  ), ended as (
    delete from refresh_families f where f.id in (select family_id from expired)
      and not exists (select from refresh_tokens t where t.family_id = f.id and t.expires_at > sluice_now())
  )
  select count(*)::integer as count from expired`;

const principals = `select a.place::integer as place, u.id as "userId", u.role, s.id as "sellerId"
  from unnest($1::uuid[], $2::uuid[], $3::integer[]) with ordinality as a (user_id, family_id, auth_version, place)
  join users u on u.id = a.user_id and u.auth_version = a.auth_version
  join refresh_families f on f.id = a.family_id and f.user_id = u.id and f.revoked_at is null
  left join sellers s on s.user_id = u.id`;

async function principalsOf(sql: Sql, sessions: readonly Session[]): Promise<readonly (Principal | undefined)[]> {
  const columns = [
    sessions.map(({ userId }) => userId),
    sessions.map(({ familyId }) => familyId),
    sessions.map(({ authVersion }) => authVersion),
  ];
  const { rows } = await sql.query<Principal & { readonly place: number }>(principals, columns);
  const found = new Map(rows.map(({ place, ...principal }) => [place, principal]));
  return sessions.map((_, index) => found.get(index + 1));
}

/** Sessions in PostgreSQL. A refresh token lives for `refreshTtlMs`, and each rotation begins anew. */
export function sessionRepository(sql: SqlDatabase, refreshTtlMs: number): SessionRepository {
  return {
    async open(userId, token) {
      const { rows } = await sql.query<Omit<Session, "userId">>(open, [userId, token.hash, refreshTtlMs]);
      return rows[0] && { userId, ...rows[0] };
    },
    withFamily: (token, work) =>
      withTransaction(sql, async (transaction) => {
        await transaction.query(lock, [token.hash]);
        const [found] = (await transaction.query<StoredToken>(stored, [token.hash])).rows;
        return found && work(lockedFamily(transaction, { token, found, refreshTtlMs }));
      }),
    close: async (token) => void (await sql.query(close, [token.hash])),
    closeAll: (userId, why) => withTransaction(sql, (transaction) => closeAllSessions(transaction, userId, why)),
    principal: gathered((sessions) => principalsOf(sql, sessions)),
    async collectGarbage() {
      while (((await sql.query<{ count: number }>(garbage)).rows[0]?.count ?? 0) === garbageBatch);
    },
  };
}

interface Locked {
  readonly token: RefreshToken;
  readonly found: StoredToken;
  readonly refreshTtlMs: number;
}

function lockedFamily(sql: Sql, { token, found, refreshTtlMs }: Locked): LockedFamily {
  return {
    token: found,
    rotate: async (next, sealed) => void (await sql.query(rotate, [token.hash, next.hash, sealed, refreshTtlMs])),
    revoke: async () => void (await sql.query(revoke, [found.familyId, "reuse"])),
  };
}

/** In the caller's transaction. The user comes first, so that two that run at once wait and do not deadlock. */
export async function closeAllSessions(sql: Sql, userId: string, why: RevokedFor): Promise<void> {
  await sql.query("update users set auth_version = auth_version + 1 where id = $1::uuid", [userId]);
  await sql.query(
    `update refresh_families set revoked_at = sluice_now(), revoked_for = $2
     where user_id = $1::uuid and revoked_at is null`,
    [userId, why],
  );
}
