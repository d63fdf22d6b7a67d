import { seededRandom } from "@sluice/core";

import type { SeedSize } from "../config/config.ts";
import { categories, listings, products } from "./goods.ts";
import { sellers, users, type Row } from "./people.ts";

/** One table of the seed data. */
export interface SeedTable {
  readonly name: string;
  /** Names and types of the columns, in the order of a row's values. */
  readonly columns: Readonly<Record<string, string>>;
  readonly count: number;
  readonly rows: Iterable<Row>;
}

/** A size that has rows. */
export type FilledSize = Exclude<SeedSize, "none">;

const sizes = {
  S: { users: 200, products: 500, listings: 1000 },
  M: { users: 20_000, products: 50_000, listings: 100_000 },
} as const;

const seed = 20_260_131;
const times = { created_at: "timestamptz", updated_at: "timestamptz" };
const goods = { name: "text", description: "text" };
const prices = { price_minor: "bigint", currency: "text" };
const owners = { id: "uuid", seller_id: "uuid", category_id: "uuid" };

const columns = {
  users: { id: "uuid", email: "text", name: "text", phone: "text", country: "text", city: "text", ...times },
  sellers: { id: "uuid", user_id: "uuid", name: "text", location: "text", ...times },
  categories: { id: "uuid", slug: "text", name: "text", created_at: "timestamptz" },
  products: { ...owners, ...goods, ...prices, status: "text", version: "integer", ...times },
  listings: {
    ...owners,
    ...goods,
    location: "text",
    ...prices,
    status: "text",
    inspection_flag: "boolean",
    version: "integer",
    ...times,
  },
} as const;

/** The tables of a size, in the order in which they must be filled. Every call starts the same rows anew. */
export function seedTables(size: FilledSize): readonly SeedTable[] {
  const { users: people, products: wares, listings: offers } = sizes[size];
  const shops = people / 5;
  return [
    table("users", people, users(seededRandom(seed), people)),
    table("sellers", shops, sellers(seededRandom(seed + 1), shops)),
    table("categories", 12, categories(seededRandom(seed + 2))),
    table("products", wares, products(seededRandom(seed + 3), { count: wares, sellers: shops })),
    table("listings", offers, listings(seededRandom(seed + 4), { count: offers, sellers: shops })),
  ];
}

function table(name: keyof typeof columns, count: number, rows: Iterable<Row>): SeedTable {
  return { name, columns: columns[name], count, rows };
}
