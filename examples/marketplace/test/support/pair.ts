import { findRedis, launchRedis } from "@sluice/testing/services";
import { expect } from "vitest";

import { patient, warmed, xCacheOf } from "./cached.ts";
import { secret } from "./config.ts";
import { request, seededDatabase, startMarketplace, type Answer, type TestMarketplace } from "./marketplace.ts";
import { registerAdmin, registerSeller, send, type Person } from "./people.ts";
import { runMarket } from "./process.ts";

/** What reads need of a marketplace. */
export type Readers = Pick<TestMarketplace, "url" | "get">;

/** A row, as far as these tests look at it. */
export interface Row {
  readonly id: string;
  readonly name: string;
}

/** Two processes of one marketplace with one cache: one that changes, and one that reads. */
export interface Pair extends AsyncDisposable {
  readonly here: TestMarketplace;
  /** Another process, as `npm start` runs it. */
  readonly there: Readers;
  readonly seller: Person & { readonly shop: string };
  readonly admin: Person;
  /** The cache. */
  readonly redisUrl: string;
  /** Changes something by the one, and fails where that is refused. */
  readonly change: (route: readonly [method: string, path: string], who: Person, body?: unknown) => Promise<Row>;
  /** Sends one line of a bulk import to the one. */
  readonly imported: (kind: "products" | "listings", row: object) => Promise<void>;
  /** Reads by the other. */
  readonly read: (path: string) => Promise<Answer>;
  /** Reads by the other until the cache answers it. */
  readonly warm: (path: string) => Promise<Answer>;
  /** Where the other finds a reply. */
  readonly foundIn: (path: string) => Promise<string | null>;
}

/** What products and listings of these tests are. */
export const facts = { name: "Talking drum", description: "Loud and clear.", category: "books", price_minor: 1 };

/** Starts both. Undefined where there is no Redis. */
export async function startPair(): Promise<Pair | undefined> {
  const binary = await findRedis();
  if (binary === undefined) return undefined;
  const [databaseUrl, redis] = [await seededDatabase(), await launchRedis({ binary })];
  const environment = { ...patient, CACHE_REDIS_URL: redis.url, SECRET_KEY: secret };
  const here = await startMarketplace({ databaseUrl, environment });
  const variables = { DATABASE_URL: databaseUrl, SEED_SIZE: "none", ENABLE_RATE_LIMIT: "false" };
  const neighbour = runMarket(["web"], { ...environment, ...variables });
  const url = await neighbour.listening();
  const there: Readers = { url, get: (path) => request(url + path) };
  return {
    here,
    there,
    redisUrl: redis.url,
    ...(await actsOf(here, there)),
    async [Symbol.asyncDispose]() {
      neighbour.signal("SIGTERM");
      await neighbour.ended;
      await here[Symbol.asyncDispose]();
      await redis.stop();
    },
  };
}

async function actsOf(
  here: TestMarketplace,
  there: Readers,
): Promise<Omit<Pair, keyof AsyncDisposable | "here" | "there" | "redisUrl">> {
  const [seller, admin] = [await registerSeller(here), await registerAdmin(here)];
  return {
    seller,
    admin,
    async change(route, { access_token: token }, body) {
      const answer = await send(here, route, body === undefined ? { token } : { token, body });
      if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
      return answer.body.data;
    },
    async imported(kind, row) {
      const { status } = await send(here, ["POST", `/api/admin/${kind}/bulk-import`], {
        token: admin.access_token,
        headers: { "content-type": "application/x-ndjson" },
        body: JSON.stringify({ ...row, seller_id: seller.shop }),
      });
      expect(status).toBe(200);
    },
    read: (path) => there.get(path),
    warm: (path) => warmed(there, path),
    foundIn: async (path) => xCacheOf(await there.get(path)),
  };
}

/** The pair of a suite, which has a Redis. */
export function started<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("Not started");
  return value;
}

/** The names on a page. */
export function namesIn({ body }: Answer): string[] {
  return (body.data as readonly Row[]).map(({ name }) => name);
}
