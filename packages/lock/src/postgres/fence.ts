import { quoteIdentifier, sqlState, type Migration, type SqlDatabase, type SqlTransaction } from "@sluice/postgres";

import { LockFencedOutError } from "../errors.ts";
import type { Fence } from "../fence.ts";
import type { HeldLock } from "../held-lock.ts";
import type { LockOwner } from "../store.ts";
import { lockNotAvailable, withLockTimeout } from "./lock-timeout.ts";

/** The tables of this package, for `migrate(db, { package: "lock", migrations: lockMigrations })`. */
export const lockMigrations: readonly Migration[] = [
  {
    name: "0001_lock_fence",
    sql: `-- Locks: none on existing tables.
-- A row is never deleted: its token is the greatest that was ever given out for the key.
create table lock_fence (
  key text collate "C" primary key,
  token bigint not null,
  owner text not null,
  minted_at timestamptz not null default sluice_now()
) with (fillfactor = 70);
`,
  },
];

/** Options of {@link postgresFence}. */
export interface PostgresFenceOptions {
  /** Where {@link lockMigrations} were applied. Default `sluice`. */
  readonly schema?: string;
}

/** Mints fencing tokens in PostgreSQL, and checks them where the guarded writes are. */
export interface PostgresFence extends Fence {
  /**
   * Makes a transaction fail unless the holder is still the last one. Call it in the transaction of the guarded writes,
   * before them: the next holder's token is not minted before this transaction has ended, so what two holders write
   * never mixes, whatever became of the lock itself. One round trip.
   *
   * @param held - A lock, or what another process was told of it.
   * @throws `ERR_SLUICE_LOCK_FENCED_OUT` when there is a newer holder, or `held` has no tokens.
   */
  guard(tx: SqlTransaction, held: Pick<HeldLock, "keys" | "owner" | "tokens">): Promise<void>;
}

/**
 * A fence as Kleppmann describes it ({@link https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html}),
 * in the database that the writes go to. A token minted in Redis would start anew with a Redis that lost its data.
 */
export function postgresFence(db: SqlDatabase, { schema = "sluice" }: PostgresFenceOptions = {}): PostgresFence {
  const table = `${quoteIdentifier(schema)}.lock_fence`;
  return {
    mint: (owner, waitMs) => mint(db, { table, ...owner }, waitMs),
    async guard(tx, { keys, owner, tokens }) {
      const { rows } = await tx.query(
        `select 1 from ${table} as fence
         join unnest($1::text[], $2::bigint[]) as held (key, token) using (key, token)
         where fence.owner = $3 order by key for share of fence`,
        [[...tokens.keys()], [...tokens.values()].map(String), owner],
      );
      if (rows.length !== keys.length) throw new LockFencedOutError(keys);
    },
  };
}

interface Minting extends LockOwner {
  readonly table: string;
}

// The same owner gets the same token: a call that is sent twice must not overtake itself.
async function mint(
  db: SqlDatabase,
  { table, keys, owner }: Minting,
  waitMs: number,
): Promise<ReadonlyMap<string, bigint> | undefined> {
  const statement = `insert into ${table} as fence (key, token, owner)
    select key, 1, $2 from unnest($1::text[]) as wanted (key) order by key collate "C"
    on conflict (key) do update set owner = excluded.owner,
      token = fence.token + case when fence.owner = excluded.owner then 0 else 1 end,
      minted_at = excluded.minted_at
    returning key, token::text`;
  try {
    const { rows } = await db.transaction((tx) =>
      withLockTimeout(tx, waitMs, () =>
        tx.query<{ readonly key: string; readonly token: string }>(statement, [keys, owner]),
      ),
    );
    return new Map(rows.map(({ key, token }) => [key, BigInt(token)]));
  } catch (error) {
    if (sqlState(error) === lockNotAvailable) return undefined;
    throw error;
  }
}
