import type { Rules } from "@sluice/cache";
import type { Sql } from "@sluice/postgres";

import type { Changes } from "../../cache/caching.ts";
import { insertRows } from "../catalog/index.ts";
import type { ProductEvents } from "./product-cache.ts";
import type { NewProduct, ProductRow } from "./product-changes.ts";
import type { Product } from "./product.ts";
import { detailColumns, detailJoins } from "./repository.ts";

/** A product that nobody else changes meanwhile. */
export interface LockedProduct {
  readonly product: Product;
  /** Writes its facts as the next version. Undefined where there is no such category. */
  save(changed: Product): Promise<Product | undefined>;
  /** Takes it out of the catalog. The row stays, for what refers to it. */
  archive(): Promise<void>;
}

/** The only place that writes products. */
export interface ProductWriteRepository {
  /** Undefined where there is no such category. */
  create(sellerId: string, product: NewProduct): Promise<Product | undefined>;
  /** Runs `work` in a transaction that holds the product. Undefined where there is none, or it is archived. */
  withLocked<T>(id: string, work: (locked: LockedProduct) => Promise<T>): Promise<T | undefined>;
  /** Inserts rows in one transaction, and returns those that it did not. */
  insert(rows: readonly (ProductRow & { readonly id: string })[]): ReturnType<typeof insertRows>;
}

const create = `with p as (
    insert into products (id, seller_id, category_id, name, description, price_minor)
    select gen_random_uuid(), $1::uuid, c.id, $3, $4, $5::bigint from categories c where c.slug = $2
    returning *
  ) select ${detailColumns} from p ${detailJoins}`;

// Two statements: one that locks and joins would, after a wait, join the new row to the category of the old one.
const lock = "select 1 from products where id = $1::uuid for update";
const byId = `select ${detailColumns} from products p ${detailJoins} where p.id = $1::uuid and p.status = 'active'`;

const save = `with p as (
    update products set category_id = c.id, name = $3, description = $4, price_minor = $5::bigint,
      version = version + 1, updated_at = sluice_now()
    from categories c where products.id = $1::uuid and c.slug = $2 returning products.*
  ) select ${detailColumns} from p ${detailJoins}`;

const archive = `update products set status = 'archived', version = version + 1, updated_at = sluice_now()
  where id = $1::uuid`;

const imported = {
  name: "products",
  columns: { name: "text", description: "text", price_minor: "bigint" },
} as const;

/** Products in PostgreSQL. What a change makes untrue in the cache is committed with it. */
export function productWriteRepository(
  changes: Changes,
  rules: Pick<Rules<ProductEvents>, "plan">,
): ProductWriteRepository {
  return {
    create: (sellerId, { category, name, description, price_minor: price }) =>
      changes.transaction(async (transaction, invalidate) => {
        const params = [sellerId, category, name, description, price];
        const [added] = (await transaction.query<Product>(create, params)).rows;
        if (added !== undefined) invalidate(rules.plan("created", added));
        return added;
      }),
    withLocked: (id, work) =>
      changes.transaction(async (transaction, invalidate) => {
        await transaction.query(lock, [id]);
        const [product] = (await transaction.query<Product>(byId, [id])).rows;
        const tell: Tell = (name, event) => invalidate(rules.plan(name, event));
        return product && work(locked(transaction, product, tell));
      }),
    insert: (rows) =>
      changes.transaction(async (transaction, invalidate) => {
        const refusals = await insertRows<ProductRow>(transaction, imported, rows);
        if (refusals.length < rows.length) invalidate(rules.plan("imported", {}));
        return refusals;
      }),
  };
}

type Tell = <Name extends keyof ProductEvents>(name: Name, event: ProductEvents[Name]) => void;

function locked(sql: Sql, product: Product, tell: Tell): LockedProduct {
  const { id, category: before } = product;
  return {
    product,
    async save({ category: after, name, description, price_minor: price }) {
      const [saved] = (await sql.query<Product>(save, [id, after, name, description, price])).rows;
      if (saved !== undefined && after !== before) tell("moved", { id, before, after });
      else if (saved !== undefined) tell("updated", { id });
      return saved;
    },
    async archive() {
      await sql.query(archive, [id]);
      tell("deleted", { id });
    },
  };
}
