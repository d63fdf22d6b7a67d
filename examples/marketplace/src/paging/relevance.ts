import type { Sql } from "@sluice/postgres";

import type { Page } from "../http/envelope.ts";
import type { Filter } from "./filter.ts";
import type { Order } from "./order.ts";
import { readPage, type Listed, type PageRequest } from "./read-page.ts";

// To rank by relevance every match must be scored, so both are bounded: what is scored, and what can be paged through.
const mostScored = 10_000;
const mostRanked = 1000;

/** A page of search results. */
export interface SearchRequest extends PageRequest {
  readonly q: string;
}

/** Rows to search, and which of them. */
export interface Searched {
  readonly listed: Listed;
  readonly filter: Filter;
}

/** The condition that a row of the table with this alias matches the words, in `websearch_to_tsquery`'s syntax. */
export function matches(alias: string, words: string): string {
  return `${alias}.search @@ ${queryOf(words)}`;
}

/** Best matches first: the best 1,000 of at most 10,000 matches. One round trip. */
export function readBest<Item>(sql: Sql, { listed, filter }: Searched, request: SearchRequest): Promise<Page<Item>> {
  const { table, alias } = listed;
  const words = filter.param(request.q);
  filter.add(matches(alias, words));
  const expressions = `with scored as materialized (
      select ${alias}.id, ts_rank_cd(${alias}.search, ${queryOf(words)})::float8 as score
      from ${table} ${alias} where ${filter.where()} limit ${mostScored}
    ), ranked as materialized (select id, score from scored order by score desc, id desc limit ${mostRanked})`;
  const source = { with: expressions, from: `ranked join ${table} ${alias} on ${alias}.id = ranked.id` };
  return readPage(sql, { ...source, listed, order: byScore(alias), filter: filter.beside() }, request);
}

/**
 * Rows whose name is similar to the words, most similar first, for words that match nothing. Needs pg_trgm. One page,
 * one round trip.
 */
export async function readSimilar<Item>(
  sql: Sql,
  { listed, filter }: Searched,
  request: SearchRequest,
): Promise<Item[]> {
  const name = `${listed.alias}.name`;
  const words = filter.param(request.q);
  filter.add(`${words} <% ${name}`);
  const text = `select ${listed.columns} from ${listed.table} ${listed.alias} ${listed.joins} where ${filter.where()}
    order by word_similarity(${words}, ${name}) desc, ${listed.alias}.id limit ${filter.param(request.limit)}`;
  return (await sql.query<Item>(text, filter.params)).rows;
}

/** Whether {@link readSimilar} can be used on this database: the migration made its indexes. One round trip. */
export async function forgivesMisspelling(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ there: boolean }>(
    "select to_regclass('idx_products_name_trigrams') is not null as there",
  );
  return rows[0]?.there === true;
}

function queryOf(words: string): string {
  return `websearch_to_tsquery('english', ${words})`;
}

function byScore(alias: string): Order {
  const by = "ranked.score";
  return { name: `${alias}:relevance`, kinds: ["score"], by, cursorValue: by, type: "float8", direction: "desc" };
}
