import type { Page } from "../../http/envelope.ts";
import { notFound } from "../../http/failure.ts";
import type { ProductCache } from "./product-cache.ts";
import type { Product, ProductCard } from "./product.ts";
import type { ProductList, ProductRepository, ProductSearch } from "./repository.ts";

/** What can be asked about products. */
export interface ProductService {
  list(list: ProductList): Promise<Page<ProductCard>>;
  /** Best matches first. Where no word matches, names that are similar to the words, as one page. */
  search(search: ProductSearch): Promise<Page<ProductCard>>;
  /**
   * From the cache, or loaded anew with `fresh`.
   *
   * @throws a 404 where there is none, or it is archived.
   */
  byId(id: string, how: { readonly fresh: boolean }): Promise<Product>;
}

/** What the rules stand on. */
export interface ProductServiceOptions {
  readonly repository: ProductRepository;
  readonly payloads: ProductCache["payloads"];
  readonly forgivesMisspelling: boolean;
}

/** The rules over a repository. */
export function productService({ repository, payloads, forgivesMisspelling }: ProductServiceOptions): ProductService {
  return {
    list: (list) => repository.list(list),
    async search(search) {
      const page = await repository.search(search);
      if (page.items.length > 0 || search.cursor !== undefined || !forgivesMisspelling) return page;
      return { ...page, items: await repository.similar(search) };
    },
    async byId(id, { fresh }) {
      const found = await payloads.get(id, { fresh });
      if (found === undefined) throw notFound("Product");
      return found;
    },
  };
}
