import { hasCode, type Clock } from "@sluice/core";
import type { Reserved, ReserveResult } from "@sluice/inventory";
import type { SqlTransaction } from "@sluice/postgres";

import { Failure } from "../../http/failure.ts";
import type { Stock } from "../../infra/inventory.ts";
import { orderIdOf, placeOrders, type Placing } from "../orders/index.ts";

/** What somebody wants to buy in a flash sale. */
export interface FlashPurchase {
  readonly userId: string;
  readonly productId: string;
  readonly quantity: number;
  /** The same key is the same purchase. Undefined: a new one each time. */
  readonly key: string | undefined;
}

/** Purchases of a crowd: many are one transaction. */
export interface FlashLane extends AsyncDisposable {
  /** Resolves after the commit of the reservation, the order and its job. */
  reserve(purchase: FlashPurchase): Promise<ReserveResult>;
}

/** What a lane stands on. */
export interface FlashGround {
  readonly stock: Pick<Stock, "flash">;
  readonly placing: Omit<Placing, "source">;
  readonly clock: Clock;
}

// Well below the time that a request may take.
const deadlineMs = 5000;
// An attempt that nobody waits for any more may still reach the database; by then it has.
const forgetAfterMs = 60_000;

/** Opens a lane. Its orders are written in the transaction that reserves their units. */
export function flashLane({ stock, placing, clock }: FlashGround): FlashLane {
  const buyers = new Buyers();
  const flash = stock.flash({
    deadlineMs,
    onReserved: (transaction, reserved) => writeOrders(transaction, reserved),
  });

  function writeOrders(transaction: SqlTransaction, reserved: readonly Reserved[]): Promise<void> {
    const placements = reserved.map(({ id, lines }) => ({
      id,
      userId: buyers.of(id),
      items: lines.map(({ productId, quantity }) => ({ product_id: productId, quantity })),
    }));
    return placeOrders(transaction, placements, { ...placing, source: "flash" });
  }

  return {
    async reserve({ userId, productId, quantity, key }) {
      const id = key === undefined ? crypto.randomUUID() : orderIdOf(userId, key);
      const leave = buyers.enter(id, userId);
      try {
        const result = await flash.reserve({ id, lines: [{ productId, quantity }], fresh: key === undefined });
        leave();
        return result;
      } catch (error) {
        if (!hasCode(error, "ERR_SLUICE_INVENTORY_UNKNOWN")) {
          leave();
          throw error;
        }
        clock.schedule(forgetAfterMs, leave, { background: true });
        throw outcomeUnknown(id, error);
      }
    },
    [Symbol.asyncDispose]: () => flash.close(),
  };
}

/** Who waits in the lane under which order's id. One user may wait more than once under one. */
class Buyers {
  readonly #entries = new Map<string, { readonly userId: string; waiting: number }>();

  /** @returns leaves again. */
  enter(id: string, userId: string): () => void {
    const entry = this.#entries.get(id) ?? { userId, waiting: 0 };
    entry.waiting += 1;
    this.#entries.set(id, entry);
    return () => {
      entry.waiting -= 1;
      if (entry.waiting === 0) this.#entries.delete(id);
    };
  }

  of(id: string): string {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error("An order that nobody waits for was reserved too late");
    return entry.userId;
  }
}

function outcomeUnknown(id: string, cause: unknown): Failure {
  return new Failure(
    500,
    ["OUTCOME_UNKNOWN", "It was or was not done: look at the order, or send the same key again"],
    {
      cause,
      details: { order_id: id },
    },
  );
}
