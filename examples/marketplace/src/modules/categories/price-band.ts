/** Where price bands begin, in kobo: from 5,000 to 2,000,000 naira. Below the first is a band too. */
export const bandStartsMinor = [500_000, 2_000_000, 10_000_000, 50_000_000, 200_000_000] as const;

/** A band of prices, as facets show it. Bounds in minor units. */
export interface PriceBand {
  readonly from_minor: number;
  /** Exclusive; null for the highest band. */
  readonly below_minor: number | null;
  readonly count: number;
}

/**
 * The bands with their counts, those that are empty included.
 *
 * @param counts - By the band's number, as `width_bucket` over {@link bandStartsMinor} gives it.
 */
export function priceBands(counts: ReadonlyMap<number, number>): PriceBand[] {
  return [0, ...bandStartsMinor].map((from, band) => ({
    from_minor: from,
    below_minor: bandStartsMinor[band] ?? null,
    count: counts.get(band) ?? 0,
  }));
}
