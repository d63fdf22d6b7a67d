import type { Sql } from "@sluice/postgres";

import { isoTime } from "../../paging/order.ts";
import type { Account, Registration } from "./account.ts";

/** What a login is checked against. */
export interface Credentials {
  readonly userId: string;
  readonly passwordHash: string;
}

/** Who registers, with the password's hash in place of the password. */
export type NewAccount = Omit<Registration, "password" | "use_cookie"> & { readonly passwordHash: string };

/** The only place that reads and writes accounts and their credentials. Every call is one round trip. */
export interface AccountRepository {
  /** Returns the new account's id, or undefined where the address has one already. */
  create(account: NewAccount): Promise<string | undefined>;
  /** Undefined where nobody has that address, or who has it cannot log in. */
  credentialsOf(email: string): Promise<Credentials | undefined>;
  /** Replaces a hash, unless it was replaced meanwhile. */
  rehash(known: Credentials, passwordHash: string): Promise<void>;
  byId(userId: string): Promise<Account | undefined>;
}

const create = `with person as (
    insert into users (id, email, name, phone, country, city)
    values (gen_random_uuid(), $1, $2, $3, $4, $5) on conflict (email) do nothing returning id
  )
  insert into credentials (user_id, password_hash) select id, $6 from person returning user_id as id`;

const credentials = `select c.user_id as "userId", c.password_hash as "passwordHash"
  from users u join credentials c on c.user_id = u.id where u.email = $1`;

const rehash = `update credentials set password_hash = $3, updated_at = sluice_now()
  where user_id = $1::uuid and password_hash = $2`;

const byId = `select u.id, u.email, u.name, u.role, ${isoTime("u.created_at")} as created_at,
    case when s.id is not null then json_build_object('id', s.id, 'name', s.name) end as seller
  from users u left join sellers s on s.user_id = u.id where u.id = $1::uuid`;

/** Accounts in PostgreSQL. */
export function accountRepository(sql: Sql): AccountRepository {
  return {
    async create({ email, name, phone, country, city, passwordHash }) {
      const params = [email, name, phone ?? null, country ?? null, city ?? null, passwordHash];
      return (await sql.query<{ id: string }>(create, params)).rows[0]?.id;
    },
    credentialsOf: async (email) => (await sql.query<Credentials>(credentials, [email])).rows[0],
    async rehash(known, passwordHash) {
      await sql.query(rehash, [known.userId, known.passwordHash, passwordHash]);
    },
    byId: async (userId) => (await sql.query<Account>(byId, [userId])).rows[0],
  };
}
