import type { ReserveResult } from "@sluice/inventory";

import { Failure, notFound } from "../../http/failure.ts";

/** What a client gets that sends a purchase: whether this request has done it, or an earlier one with the same key. */
export interface Accepted {
  readonly id: string;
  readonly isRepeat: boolean;
}

/** @throws the failure that a reservation is to the client, unless it holds. */
export function accepted(result: ReserveResult): Accepted {
  const { id, status } = result;
  if (status === "reserved") return { id, isRepeat: false };
  if (status === "duplicate" || status === "already_resolved") return { id, isRepeat: true };
  if (status === "sold_out") throw outOfStock(result);
  if (status === "conflict") throw keyReuse();
  if (status === "unknown_product") throw notFound("Product");
  throw new Failure(409, ["STOCK_CONTENTION", "Others were faster each time. Nothing is held, try again"]);
}

/** A product of which there are not as many as somebody wants. */
export function outOfStock({
  productId,
  available,
}: {
  readonly productId: string;
  readonly available: number;
}): Failure {
  return new Failure(409, ["OUT_OF_STOCK", "Out of stock!"], {
    details: { product_id: productId, available },
    detail: { status: 400 },
  });
}

/** A key that names another purchase. */
export function keyReuse(): Failure {
  return new Failure(409, ["IDEMPOTENCY_KEY_REUSE", "The Idempotency-Key belongs to another request"]);
}
