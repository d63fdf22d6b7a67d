import type { Sql } from "@sluice/postgres";

/** Takes the transaction's advisory locks of the keys, waiting for each. In the order of the keys. */
export async function lockKeysIn(sql: Sql, keys: readonly string[]): Promise<void> {
  await sql.query(
    `select pg_advisory_xact_lock(hashtextextended('sluice:lock:' || key, 0))
     from (select key from unnest($1::text[]) with ordinality as wanted (key, place) order by place) as ordered`,
    [keys],
  );
}

/** Whether all keys could be had without waiting. Those that could are held in either case. */
export async function tryLockKeysIn(sql: Sql, keys: readonly string[]): Promise<boolean> {
  const { rows } = await sql.query<{ readonly had: boolean }>(
    `select bool_and(pg_try_advisory_xact_lock(hashtextextended('sluice:lock:' || key, 0))) as had
     from unnest($1::text[]) as wanted (key)`,
    [keys],
  );
  return rows[0]?.had === true;
}
