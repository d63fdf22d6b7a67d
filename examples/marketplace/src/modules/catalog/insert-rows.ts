import type { Sql } from "@sluice/postgres";

import type { IdentifiedRow, ImportedRow, Refusal } from "./import-rows.ts";

/** A table of goods, and what it keeps of them beside id, seller and category. */
export interface GoodsTable<Row> {
  readonly name: "products" | "listings";
  /** Names and types of columns. */
  readonly columns: Readonly<Partial<Record<keyof Row & string, string>>>;
}

interface Refused {
  readonly index: number;
  readonly knownSeller: boolean;
  readonly knownCategory: boolean;
}

/**
 * Inserts rows with one statement: all of them, but for those whose id, seller or category is not usable, which it
 * returns. Rows are locked in the order of their ids, so that two imports of the same rows wait and do not deadlock.
 */
export async function insertRows<Row extends ImportedRow>(
  transaction: Sql,
  table: GoodsTable<Row>,
  rows: readonly IdentifiedRow<Row>[],
): Promise<readonly Refusal[]> {
  const names = Object.keys(table.columns) as (keyof Row & string)[];
  const columns = [rows.map(({ id }) => id), rows.map((row) => row.seller_id), rows.map((row) => row.category)];
  const params = [...columns, ...names.map((name) => rows.map((row) => row[name]))];
  const text = statement(table.name, Object.entries<string | undefined>(table.columns));
  const refused = await transaction.query<Refused>(text, params);
  return refused.rows.map(({ index, knownSeller, knownCategory }) => ({
    index,
    ...reason(knownSeller, knownCategory),
  }));
}

function statement(table: string, columns: readonly (readonly [name: string, type: string | undefined])[]): string {
  const names = columns.map(([name]) => name).join(", ");
  const arrays = columns.map(([, type], index) => `$${index + 4}::${type}[]`).join(", ");
  return `with given as (
      select * from unnest($1::uuid[], $2::uuid[], $3::text[], ${arrays})
        with ordinality as g (id, seller_id, category, ${names}, number)
    ), inserted as (
      insert into ${table} (id, seller_id, category_id, ${names})
      select g.id, s.id, c.id, ${columns.map(([name]) => `g.${name}`).join(", ")}
      from given g join sellers s on s.id = g.seller_id join categories c on c.slug = g.category
      order by g.id on conflict (id) do nothing returning id
    )
    select (g.number - 1)::integer as index, s.id is not null as "knownSeller", c.id is not null as "knownCategory"
    from given g left join sellers s on s.id = g.seller_id left join categories c on c.slug = g.category
    where not exists (select from inserted i where i.id = g.id) order by g.number`;
}

function reason(knownSeller: boolean, knownCategory: boolean): Pick<Refusal, "code" | "message"> {
  if (!knownSeller) return { code: "UNKNOWN_SELLER", message: "there is no such seller" };
  if (!knownCategory) return { code: "UNKNOWN_CATEGORY", message: "there is no such category, see /api/categories" };
  return { code: "ALREADY_EXISTS", message: "there is a row with this id" };
}
