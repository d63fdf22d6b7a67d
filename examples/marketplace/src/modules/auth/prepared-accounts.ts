import { withTransaction, type Sql, type SqlDatabase } from "@sluice/postgres";

import type { PasswordHasher } from "./password-hasher.ts";
import { closeAllSessions } from "./session-repository.ts";

/** The administrator that the configuration names. */
export interface Administrator {
  readonly email: string;
  readonly password: string;
}

interface Found {
  readonly id: string;
  readonly role: string;
  readonly hash: string | null;
}

const lockKey = "hashtextextended('marketplace administrator', 0)";

const find = `select u.id, u.role, c.password_hash as hash
  from users u left join credentials c on c.user_id = u.id where u.email = $1`;

const create = `insert into users (id, email, name, role) values (gen_random_uuid(), $1, 'Administrator', 'admin')
  returning id, role, null as hash`;

const setHash = `insert into credentials (user_id, password_hash) values ($1::uuid, $2)
  on conflict (user_id) do update set password_hash = excluded.password_hash, updated_at = sluice_now()`;

/**
 * Makes the account that the configuration names, or makes it an administrator's with that password. Where it had
 * another password, its sessions end. However many processes do this at once, one of them does it.
 *
 * @returns whether anything had to be changed.
 */
export function ensureAdministrator(
  database: SqlDatabase,
  { email, password }: Administrator,
  hasher: PasswordHasher,
): Promise<boolean> {
  return withTransaction(database, async (sql) => {
    await sql.query(`select pg_advisory_xact_lock(${lockKey})`);
    const [known] = (await sql.query<Found>(find, [email])).rows;
    const [account] = known === undefined ? (await sql.query<Found>(create, [email])).rows : [known];
    if (account === undefined) throw new Error(`The account ${email} could not be made`);
    const promoted = account.role !== "admin";
    if (promoted) await sql.query("update users set role = 'admin' where id = $1::uuid", [account.id]);
    if (account.hash !== null && (await hasher.verify(password, account.hash))) return promoted;
    await setPassword(sql, account.id, await hasher.hash(password));
    return true;
  });
}

async function setPassword(sql: Sql, userId: string, hash: string): Promise<void> {
  await sql.query(setHash, [userId, hash]);
  await closeAllSessions(sql, userId, "password");
}

const lacking = "from users u where not exists (select from credentials c where c.user_id = u.id)";

/**
 * Lets the users of the seed data log in, with one password and one hash for all of them. Everybody else has had
 * credentials from the first moment on.
 */
export async function ensureSeedPassword(sql: Sql, password: string, hasher: PasswordHasher): Promise<void> {
  if ((await sql.query(`select 1 ${lacking} limit 1`)).rows.length === 0) return;
  const insert = `insert into credentials (user_id, password_hash) select u.id, $1 ${lacking} on conflict do nothing`;
  await sql.query(insert, [await hasher.hash(password)]);
}
