import type { Categories, Facets } from "./category.ts";
import { priceBands } from "./price-band.ts";
import { mostCounted, type BandCount, type CategoryRepository, type FacetFilter } from "./repository.ts";

/** What can be asked about categories. */
export interface CategoryService {
  all(): Promise<Categories>;
  /** From the rollup without words, counted now with them. */
  facets(filter: FacetFilter): Promise<Facets>;
}

/** The rules over a repository. */
export function categoryService(repository: Omit<CategoryRepository, "rollUp">): CategoryService {
  return {
    async all() {
      const counted = await repository.all();
      return { categories: counted, counted_at: oldest(counted.map((category) => category.counted_at)) };
    },
    async facets({ q, category }) {
      if (q !== undefined) return facetsOf(await repository.matchingBands({ q, category }), null);
      const [bands, counted] = await Promise.all([repository.bands(category), repository.all()]);
      const facets = facetsOf(bands, oldest(counted.map((one) => one.counted_at)));
      // A rollup counts everything, however much it is.
      return { ...facets, approximate: false };
    },
  };
}

/** The earliest of the times, null where one is missing. */
function oldest(times: readonly (string | null)[]): string | null {
  return times.reduce((a, b) => (a === null || b === null ? null : a < b ? a : b), times[0] ?? null);
}

function facetsOf(bands: readonly BandCount[], countedAt: string | null): Facets {
  const byCategory = new Map<string, { slug: string; name: string; count: number }>();
  const byBand = new Map<number, number>();
  let total = 0;
  for (const { slug, name, band, count } of bands) {
    total += count;
    byBand.set(band, (byBand.get(band) ?? 0) + count);
    byCategory.set(slug, { slug, name, count: (byCategory.get(slug)?.count ?? 0) + count });
  }
  return {
    total,
    categories: [...byCategory.values()].filter(({ count }) => count > 0),
    price_bands: priceBands(byBand),
    approximate: total >= mostCounted,
    counted_at: countedAt,
  };
}
