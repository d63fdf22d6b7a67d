import type { Rules } from "@sluice/cache";
import type { Sql } from "@sluice/postgres";

import type { Changes } from "../../cache/caching.ts";
import { insertRows } from "../catalog/index.ts";
import type { ListingEvents } from "./listing-cache.ts";
import type { ListingRow, NewListing, OwnListing } from "./listing-changes.ts";
import { detailColumns, detailJoins } from "./repository.ts";

/** A listing that nobody else changes meanwhile. */
export interface LockedListing {
  readonly listing: OwnListing;
  /** Writes its facts, status and flag, as the next version. Undefined where there is no such category. */
  save(changed: OwnListing): Promise<OwnListing | undefined>;
  remove(): Promise<void>;
}

/** The only place that writes listings. */
export interface ListingWriteRepository {
  /** Undefined where there is no such category. */
  create(sellerId: string, listing: NewListing): Promise<OwnListing | undefined>;
  /** Runs `work` in a transaction that holds the listing. Undefined where there is none. */
  withLocked<T>(id: string, work: (locked: LockedListing) => Promise<T>): Promise<T | undefined>;
  /** Inserts rows in one transaction, and returns those that it did not. */
  insert(rows: readonly (ListingRow & { readonly id: string })[]): ReturnType<typeof insertRows>;
}

const columns = `${detailColumns}, l.status`;

const create = `with l as (
    insert into listings (id, seller_id, category_id, name, description, location, price_minor)
    select gen_random_uuid(), $1::uuid, c.id, $3, $4, $5, $6::bigint from categories c where c.slug = $2
    returning *
  ) select ${columns} from l ${detailJoins}`;

// Two statements: one that locks and joins would, after a wait, join the new row to the category of the old one.
const lock = "select 1 from listings where id = $1::uuid for update";
const byId = `select ${columns} from listings l ${detailJoins} where l.id = $1::uuid`;

const save = `with l as (
    update listings set category_id = c.id, name = $3, description = $4, location = $5, price_minor = $6::bigint,
      status = $7, inspection_flag = $8, version = version + 1, updated_at = sluice_now()
    from categories c where listings.id = $1::uuid and c.slug = $2 returning listings.*
  ) select ${columns} from l ${detailJoins}`;

const imported = {
  name: "listings",
  columns: { name: "text", description: "text", location: "text", price_minor: "bigint", status: "text" },
} as const;

/** Listings in PostgreSQL. What a change makes untrue in the cache is committed with it. */
export function listingWriteRepository(
  changes: Changes,
  rules: Pick<Rules<ListingEvents>, "plan">,
): ListingWriteRepository {
  return {
    create: (sellerId, { category, name, description, location, price_minor: price }) =>
      changes.transaction(async (transaction, invalidate) => {
        const params = [sellerId, category, name, description, location, price];
        const [added] = (await transaction.query<OwnListing>(create, params)).rows;
        if (added !== undefined) invalidate(rules.plan("created", {}));
        return added;
      }),
    withLocked: (id, work) =>
      changes.transaction(async (transaction, invalidate) => {
        await transaction.query(lock, [id]);
        const [listing] = (await transaction.query<OwnListing>(byId, [id])).rows;
        const tell = (name: "updated" | "deleted"): void => invalidate(rules.plan(name, { id }));
        return listing && work(locked(transaction, listing, tell));
      }),
    insert: (rows) =>
      changes.transaction(async (transaction, invalidate) => {
        const refusals = await insertRows<ListingRow>(transaction, imported, rows);
        if (refusals.length < rows.length) invalidate(rules.plan("imported", {}));
        return refusals;
      }),
  };
}

function locked(sql: Sql, listing: OwnListing, tell: (name: "updated" | "deleted") => void): LockedListing {
  const { id } = listing;
  return {
    listing,
    async save({ category, name, description, location, price_minor: price, status, inspection_flag: flag }) {
      const params = [id, category, name, description, location, price, status, flag];
      const [saved] = (await sql.query<OwnListing>(save, params)).rows;
      if (saved !== undefined) tell("updated");
      return saved;
    },
    async remove() {
      await sql.query("delete from listings where id = $1::uuid", [id]);
      tell("deleted");
    },
  };
}
