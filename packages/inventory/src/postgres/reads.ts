import type { Sql } from "@sluice/postgres";

import type { Reservation, ReservationState, StockLevel, Violation } from "../reservation.ts";
import type { PageOf } from "../store.ts";

interface StockRow {
  readonly product: string;
  readonly on_hand: number;
  readonly reserved: number;
  readonly low_at: number;
  readonly version: number;
  readonly as_of: number;
}

function stockColumns(schema: string): string {
  return `product_id as product, on_hand::float8, reserved::float8, low_at::float8, version::float8,
    (extract(epoch from ${schema}.sluice_now()) * 1000)::float8 as as_of`;
}

function stockLevel({
  product: productId,
  on_hand: onHand,
  reserved,
  low_at: lowAt,
  version,
  as_of,
}: StockRow): StockLevel {
  return { productId, available: onHand - reserved, version, onHand, reserved, lowAt, asOfMs: as_of };
}

/** Statements that only read: one round trip each, and no locks. */
export function readsOf(schema: string) {
  const columns = stockColumns(schema);
  async function stock(sql: Sql, where: string, params: readonly unknown[]): Promise<readonly StockLevel[]> {
    const { rows } = await sql.query<StockRow>(`select ${columns} from ${schema}.inventory where ${where}`, params);
    return rows.map(stockLevel);
  }

  return {
    levels: (sql: Sql, productIds: readonly string[]) =>
      stock(sql, "product_id = any ($1::text[]) order by product_id", [productIds]),
    page: (sql: Sql, { after, limit }: PageOf) =>
      stock(sql, "product_id > $1 order by product_id limit $2", [after, limit]),
    lowStock: (sql: Sql, { after, limit }: PageOf) =>
      stock(sql, "product_id > $1 and on_hand - reserved <= low_at order by product_id limit $2", [after, limit]),
    get: (sql: Sql, id: string) => reservation(sql, schema, id),
    violations: (sql: Sql, limit: number) => violations(sql, schema, limit),
  };
}

interface ReservationRow {
  readonly id: string;
  readonly state: ReservationState;
  readonly due: number;
  readonly reference: string | null;
  readonly lines: Reservation["lines"];
}

async function reservation(sql: Sql, schema: string, id: string): Promise<Reservation | undefined> {
  const { rows } = await sql.query<ReservationRow>(
    `select id::text, state, (extract(epoch from expires_at) * 1000)::float8 as due, reference,
       (select jsonb_agg(jsonb_build_object('productId', product_id, 'quantity', quantity) order by product_id)
        from ${schema}.inventory_line where reservation_id = id) as lines
     from ${schema}.inventory_reservation where id = $1`,
    [id],
  );
  const [row] = rows;
  if (!row) return undefined;
  const { state, due: expiresAtMs, reference, lines } = row;
  return { id: row.id, state, lines, expiresAtMs, reference: reference ?? undefined };
}

async function violations(sql: Sql, schema: string, limit: number): Promise<readonly Violation[]> {
  const { rows } = await sql.query<
    { readonly product: string } & Omit<Violation, "productId" | "onHand"> & { readonly on_hand: number }
  >(
    `select product_id as product, coalesce(on_hand, 0)::float8 as on_hand, moved::float8,
       coalesce(reserved, 0)::float8 as reserved, open::float8
     from ${schema}.inventory_violations order by product_id limit $1`,
    [limit],
  );
  return rows.map(({ product: productId, on_hand: onHand, moved, reserved, open }) => ({
    productId,
    onHand,
    moved,
    reserved,
    open,
  }));
}
