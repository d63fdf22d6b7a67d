import type { Random } from "@sluice/core";

import { chance, createdAt, laterThan, pick } from "./draw.ts";
import { goods, phrases, type GoodsGrammar } from "./goods-words.ts";
import { drawCity, drawCountry, type Row } from "./people.ts";
import { seededId } from "./seeded-id.ts";
import { zipf } from "./zipf.ts";

/** How many rows, and of how many sellers. */
export interface GoodsSize {
  readonly count: number;
  readonly sellers: number;
}

const drawCategory = zipf(goods.length);

/**
 * The categories.
 *
 * @yields rows of `categories`, always the same for one random source and size.
 */
export function* categories(random: Random): Generator<Row> {
  for (const [index, { slug, name }] of goods.entries()) {
    yield [seededId("categories", index), slug, name, createdAt(random, 0, goods.length)];
  }
}

/**
 * The products. Few sellers have most of them, and few categories hold most of them.
 *
 * @yields rows of `products`, always the same for one random source and size.
 */
export function* products(random: Random, { count, sellers }: GoodsSize): Generator<Row> {
  const drawSeller = zipf(sellers);
  for (let index = 0; index < count; index += 1) {
    const category = drawCategory(random);
    const seller = seededId("sellers", drawSeller(random));
    const kind = grammarOf(category);
    const facts = [nameOf(random, kind), description(random, kind), price(random, kind), "NGN"];
    const status = chance(random, 96) ? "active" : "archived";
    yield [
      seededId("products", index),
      seller,
      seededId("categories", category),
      ...facts,
      status,
      ...times(random, index, count),
    ];
  }
}

/**
 * The listings. Nine of ten are approved.
 *
 * @yields rows of `listings`, always the same for one random source and size.
 */
export function* listings(random: Random, { count, sellers }: GoodsSize): Generator<Row> {
  const drawSeller = zipf(sellers);
  for (let index = 0; index < count; index += 1) {
    const category = drawCategory(random);
    const seller = seededId("sellers", drawSeller(random));
    const kind = grammarOf(category);
    const location = drawCity(random, drawCountry(random));
    const facts = [nameOf(random, kind), description(random, kind), location, price(random, kind), "NGN"];
    const status = chance(random, 90) ? "approved" : pick(random, ["draft", "pending", "pending", "rejected", "sold"]);
    const inspection = chance(random, 3);
    const id = seededId("listings", index);
    yield [id, seller, seededId("categories", category), ...facts, status, inspection, ...times(random, index, count)];
  }
}

function grammarOf(category: number): GoodsGrammar {
  const kind = goods[category];
  if (kind === undefined) throw new RangeError(`There is no category ${category}`);
  return kind;
}

function nameOf(random: Random, { makers, things, variants }: GoodsGrammar): string {
  const variant = chance(random, 70) ? `, ${pick(random, variants)}` : "";
  return `${pick(random, makers)} ${pick(random, things)}${variant}`;
}

function description(random: Random, { things, name }: GoodsGrammar): string {
  const { conditions, strengths, deliveries, assurances } = phrases;
  const first = `${pick(random, conditions)}: a ${pick(random, things)} that is ${pick(random, strengths)}.`;
  const extra = chance(random, 60) ? ` ${pick(random, assurances)}.` : "";
  return `${first} ${pick(random, deliveries)}.${extra} More in ${name.toLowerCase()} on request.`;
}

// Low prices are common and high ones rare; shops round to 500 naira, or to 50 where that would be much.
function price(random: Random, { pricesMinor: [lowest, highest] }: GoodsGrammar): number {
  const share = random.integer(0, 1001) / 1000;
  const minor = lowest + (highest - lowest) * share * share * share;
  const step = minor > 1_000_000 ? 50_000 : 5000;
  return Math.max(step, Math.round(minor / step) * step);
}

/** Version, created_at and updated_at. */
function times(random: Random, index: number, count: number): [number, string, string] {
  const created = createdAt(random, index, count);
  if (!chance(random, 30)) return [1, created, created];
  return [random.integer(2, 9), created, laterThan(random, created)];
}
