import { notFound } from "../../http/failure.ts";
import type { Principal } from "../../http/principal.ts";
import { assertMayChange, assertVersion, changed, unknownCategory } from "../catalog/index.ts";
import type { NewProduct, ProductChange } from "./product-changes.ts";
import type { Product } from "./product.ts";
import type { LockedProduct, ProductWriteRepository } from "./write-repository.ts";

/** What sellers and administrators can do about products. */
export interface ProductWriteService {
  create(principal: Principal, product: NewProduct): Promise<Product>;
  /** @throws a 404, a 403 for somebody else's, a 409 for another version. */
  change(principal: Principal, id: string, change: ProductChange): Promise<Product>;
  /** @throws a 404, or a 403 for somebody else's. */
  remove(principal: Principal, id: string): Promise<void>;
}

/** The rules over a repository. */
export function productWriteService(repository: ProductWriteRepository): ProductWriteService {
  /** Runs `work` on a product that the principal may change: an owner's own, and an administrator's any. */
  async function withOwn<T>(principal: Principal, id: string, work: (locked: LockedProduct) => Promise<T>): Promise<T> {
    const result = await repository.withLocked(id, async (locked) => {
      assertMayChange(locked.product, { principal, what: "Product", isPublic: true, byAdmins: true });
      return { value: await work(locked) };
    });
    if (result === undefined) throw notFound("Product");
    return result.value;
  }

  return {
    async create({ sellerId }, product) {
      // The route lets sellers in, and nobody else.
      if (sellerId === null) throw notFound("Shop");
      return (await repository.create(sellerId, product)) ?? refuseCategory();
    },
    change: (principal, id, { version, ...facts }) =>
      withOwn(principal, id, async (locked) => {
        assertVersion(locked.product, version);
        return (await locked.save(changed(locked.product, facts))) ?? refuseCategory();
      }),
    remove: (principal, id) => withOwn(principal, id, (locked) => locked.archive()),
  };
}

function refuseCategory(): never {
  throw unknownCategory();
}
