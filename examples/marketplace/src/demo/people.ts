import type { Sql } from "@sluice/postgres";

import { issueSessions } from "../modules/auth/index.ts";
import type { Buyer } from "./load.ts";

/** Who takes part in a sale, each with an access token. */
export interface People {
  readonly buyers: readonly Buyer[];
  /** Who comes before them, so that no server is cold when it is measured. */
  readonly rehearsal: readonly Buyer[];
  /** The token of somebody who may fill the shelves. */
  readonly administrator: string;
}

/** How many take part. */
export interface Crowds {
  readonly buyers: number;
  readonly rehearsal: number;
}

/** How tokens are made: as the marketplace makes them. */
export type TokenOptions = Parameters<typeof issueSessions>[2];

// example is a top level that nobody has (RFC 2606).
const domain = "flash-sale.example";

/** The addresses of all buyers, as a pattern of LIKE. */
export const buyersPattern = `buyer.%@${domain}`;

const insert = `insert into users (id, email, name, role)
  select gen_random_uuid(), email, 'Flash sale', $2 from unnest($1::text[]) as person (email) returning id`;

/**
 * Makes the accounts of a sale, logged in without ten thousand hashed passwords: their tokens are issued with the
 * service's own secret, and hold there as any other.
 */
export async function makePeople(sql: Sql, count: Crowds, options: TokenOptions): Promise<People> {
  const buyers = await crowdOf("buyer", count.buyers);
  const rehearsal = await crowdOf("rehearsal", count.rehearsal);
  const [administrator = ""] = await tokensOf([`administrator@${domain}`], "admin");
  return { administrator, buyers, rehearsal };

  async function crowdOf(name: string, size: number): Promise<Buyer[]> {
    const emails = Array.from({ length: size }, (_, index) => `${name}.${index}@${domain}`);
    const tokens = await tokensOf(emails, "user");
    return tokens.map((token, index) => ({ token, address: addressOf(index) }));
  }

  async function tokensOf(addresses: readonly string[], role: string): Promise<string[]> {
    const { rows } = await sql.query<{ id: string }>(insert, [addresses, role]);
    const tokens = await issueSessions(
      sql,
      rows.map(({ id }) => id),
      options,
    );
    return [...tokens.values()];
  }
}

/** An address per buyer, of the range that RFC 2544 keeps for benchmarks: 131,070 of them. */
function addressOf(index: number): string {
  const value = index + 1;
  return `198.${18 + Math.floor(value / 65_536)}.${Math.floor(value / 256) % 256}.${value % 256}`;
}
