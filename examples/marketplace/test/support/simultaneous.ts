import type { TestMarketplace } from "./marketplace.ts";

/** A row that everybody waits for. */
export interface HeldRow {
  readonly table: "refresh_families" | "products" | "listings";
  readonly id: string;
  /** What becomes of it meanwhile, as in `name = 'x'`. Default: nothing. */
  readonly change?: string;
}

/**
 * Requests that have all begun before the first of them may write: a row that each of them needs is held until all of
 * them wait for it. At most as many as the marketplace has connections.
 */
export async function simultaneously<T>(
  { admin }: TestMarketplace,
  { table, id, change = "id = id" }: HeldRow,
  requests: readonly (() => Promise<T>)[],
): Promise<T[]> {
  const waiting = `select count(*)::integer as count from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database() and application_name = 'marketplace'`;
  const sent = await admin.transaction(async (holder) => {
    await holder.query(`select from ${table} where id = $1::uuid for update`, [id]);
    await holder.query(`update ${table} set ${change} where id = $1::uuid`, [id]);
    const promises = requests.map((request) => request());
    while ((await admin.query<{ count: number }>(waiting)).rows[0]?.count !== requests.length);
    return promises;
  });
  return Promise.all(sent);
}
