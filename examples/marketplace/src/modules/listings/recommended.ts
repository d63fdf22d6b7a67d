import type { Sql } from "@sluice/postgres";

import type { Page } from "../../http/envelope.ts";
import { decodeCursor, encodeCursor } from "../../paging/cursor.ts";
import type { Filter } from "../../paging/filter.ts";
import { isoTime } from "../../paging/order.ts";
import type { Listed, PageRequest } from "../../paging/read-page.ts";

/** Which listings to choose from. */
export interface Recommendable {
  readonly listed: Listed;
  /** What each must meet, its category apart. */
  readonly filter: Filter;
  readonly category: string | undefined;
}

/** A category that is chosen from. */
interface Source {
  readonly id: string;
  /** How many times as slowly its listings age. */
  readonly slowness: number;
  /** When the newest listing of all was made; null where there is none. */
  readonly newest: string | null;
}

/** The last row of the page before, and from when ages count. */
interface Place {
  readonly at: string;
  readonly freshness: number;
  readonly id: string;
}

interface Row {
  readonly id: string;
  readonly freshness: number;
}

const order = { name: "l:recommended", kinds: ["timestamp", "score"] } as const;
/** However much is bought in a category. */
const slowest = 10;
// Ages in seconds, to the microsecond: what the arithmetic of doubles adds to them is less than this.
const slackSeconds = 0.001;
// Beyond all ages there are, and within what PostgreSQL can add to a time.
const longestSeconds = 10_000_000_000;

const sources = `select c.id,
    least(${slowest}, 1 + coalesce(r.units_sold::float8 / greatest(r.listing_count, 1), 0)) as slowness,
    (select ${isoTime("max(created_at)")} from listings where status = 'approved') as newest
  from categories c left join category_rollups r on r.category_id = c.id where $1::text is null or c.slug = $1`;

/**
 * The listings whose age is least, where those of a category age the more slowly the more of it is bought: by 1 + units
 * sold lately per listing. In a category that is newest first, so of each no more is read than a page holds, from
 * where the cursor is. Two round trips.
 *
 * Ages count from the newest listing, as it was when the first page was read: a cursor holds that time, so that all
 * pages have one order whatever comes meanwhile. By the clock, all would be equally old in a market that stands still.
 */
export async function readRecommended<Item>(
  sql: Sql,
  { listed, filter, category }: Recommendable,
  { limit, cursor }: PageRequest,
): Promise<Page<Item>> {
  const after = cursor === undefined ? undefined : placeOf(cursor);
  const { rows: from } = await sql.query<Source>(sources, [category ?? null]);
  const at = after?.at ?? from[0]?.newest;
  if (from.length === 0 || at === undefined || at === null) return { items: [], nextCursor: null, limit };
  const most = filter.param(limit + 1);
  const chosen = chosenFrom(from, { listed, filter, at, after, most });
  const text = `with best as materialized (
      select * from (${chosen}) chosen order by freshness desc, id desc limit ${most}
    )
    select ${listed.columns}, best.freshness from best join ${listed.table} l on l.id = best.id ${listed.joins}
    order by best.freshness desc, best.id desc`;
  const { rows } = await sql.query<Item & Row>(text, filter.params);
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  const nextCursor = last ? encodeCursor(order, { values: [at, last.freshness], id: last.id }) : null;
  return { items, nextCursor, limit };
}

function placeOf(cursor: string): Place {
  const { values, id } = decodeCursor(order, cursor);
  const [at, freshness] = values;
  return { at: String(at), freshness: Math.min(Math.max(Number(freshness), -longestSeconds), longestSeconds), id };
}

interface Choice extends Pick<Recommendable, "listed" | "filter"> {
  readonly at: string;
  readonly after: Place | undefined;
  /** The placeholder of how many of each. */
  readonly most: string;
}

/**
 * One branch per category, each with its own numbers: the planner knows how common each is. Joined to them, it would
 * look for the newest of an empty category through all there are.
 */
function chosenFrom(from: readonly Source[], { listed, filter, at, after, most }: Choice): string {
  const start = `${filter.param(at)}::timestamptz`;
  const place = after && { freshness: filter.param(after.freshness), id: filter.param(after.id) };
  const branches = from.map(({ id, slowness }) => {
    const pace = `${filter.param(slowness)}::float8`;
    const freshness = `(extract(epoch from l.created_at - ${start})::float8 / ${pace})`;
    const conditions = [filter.where(), `l.category_id = ${filter.param(id)}::uuid`];
    if (place !== undefined) {
      conditions.push(
        // True of nearly all that the index gives. Said so that the planner reckons with that: of a comparison alone it
        // expects a third, and may then rather sort a whole category than read the index for a page.
        `nullif((${freshness}, l.id) < (${place.freshness}::float8, ${place.id}::uuid), false) is not null`,
        // The same once more, as the index has it.
        `l.created_at <= ${start} + make_interval(secs => ${place.freshness}::float8 * ${pace} + ${slackSeconds})`,
      );
    }
    return `(select l.id, ${freshness} as freshness from ${listed.table} l where ${conditions.join(" and ")}
      order by l.created_at desc, l.id desc limit ${most})`;
  });
  return branches.join(" union all ");
}
