import { Failure } from "../../http/failure.ts";
import type { SellerRepository } from "./repository.ts";
import type { NewSeller, Seller } from "./seller.ts";

/** What sellers can do about their shops. */
export interface SellerService {
  /** @throws a 409 where the user has a shop already. */
  open(userId: string, shop: NewSeller): Promise<Seller>;
}

/** The rules over a repository. */
export function sellerService(repository: SellerRepository): SellerService {
  return {
    async open(userId, shop) {
      const opened = await repository.create(userId, shop);
      if (opened === undefined) throw new Failure(409, ["ALREADY_A_SELLER", "This account has a shop already"]);
      return opened;
    },
  };
}
