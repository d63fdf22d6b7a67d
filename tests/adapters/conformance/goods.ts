/** Something that the shop sells. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly version: number;
}

/** The shop's database, in a test's hand. */
export interface Goods {
  /** Whenever it is asked for a product, or for all of them. */
  readonly reads: number;
  list(): readonly Product[];
  find(id: string): Product | undefined;
  /** Makes a product, or a new version of it. */
  put(id: string, name: string): Product;
  remove(id: string): boolean;
}

/** Goods with a first product, `1`. */
export function createGoods(): Goods {
  const products = new Map<string, Product>([["1", { id: "1", name: "Lamp", version: 1 }]]);
  let reads = 0;
  return {
    get reads() {
      return reads;
    },
    list() {
      reads += 1;
      return [...products.values()];
    },
    find(id) {
      reads += 1;
      return products.get(id);
    },
    put(id, name) {
      const product = { id, name, version: (products.get(id)?.version ?? 0) + 1 };
      products.set(id, product);
      return product;
    },
    remove: (id) => products.delete(id),
  };
}
