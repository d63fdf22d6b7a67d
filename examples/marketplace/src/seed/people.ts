import type { Random } from "@sluice/core";

import { chance, createdAt, pick } from "./draw.ts";
import { countries, shopKinds, type Country } from "./people-words.ts";
import { seededId } from "./seeded-id.ts";
import { zipf } from "./zipf.ts";

/** A row's values, in the order of its table's columns. */
export type Row = readonly (string | number | boolean)[];

const [nigeria, southAfrica] = countries;
const cityOf = new Map(countries.map((country) => [country, zipf(country.cities.length)]));

/** Where somebody lives: most in the largest cities. */
export function drawCity(random: Random, country: Country): string {
  return country.cities[cityOf.get(country)?.(random) ?? 0] ?? "Lagos";
}

/** Three of four are Nigerian. */
export function drawCountry(random: Random): Country {
  return chance(random, 75) ? nigeria : southAfrica;
}

/**
 * The users.
 *
 * @yields rows of `users`, always the same for one random source and size.
 */
export function* users(random: Random, count: number): Generator<Row> {
  for (let index = 0; index < count; index += 1) {
    const country = drawCountry(random);
    const [given, family] = [pick(random, country.givenNames), pick(random, country.familyNames)];
    const email = `${given}.${family}.${index}@example.com`.toLowerCase();
    const created = createdAt(random, index, count);
    const city = drawCity(random, country);
    yield [
      seededId("users", index),
      email,
      `${given} ${family}`,
      phone(random, country),
      country.code,
      city,
      created,
      created,
    ];
  }
}

function phone(random: Random, { phonePrefixes }: Country): string {
  const digits = (count: number): string => String(random.integer(0, 10 ** count)).padStart(count, "0");
  return `${pick(random, phonePrefixes)} ${digits(3)} ${digits(4)}`;
}

/**
 * The sellers: every fifth user is one.
 *
 * @yields rows of `sellers`, always the same for one random source and size.
 */
export function* sellers(random: Random, count: number): Generator<Row> {
  for (let index = 0; index < count; index += 1) {
    const country = drawCountry(random);
    const owner = chance(random, 50) ? pick(random, country.givenNames) : pick(random, country.familyNames);
    const created = createdAt(random, index, count);
    const name = `${owner} ${pick(random, shopKinds)}`;
    yield [seededId("sellers", index), seededId("users", index * 5), name, drawCity(random, country), created, created];
  }
}
