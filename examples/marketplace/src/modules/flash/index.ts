import type { Clock } from "@sluice/core";
import type { Strategy } from "@sluice/inventory";

import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import type { Stock } from "../../infra/inventory.ts";
import type { Accepted, OrderService, Placing } from "../orders/index.ts";
import { flashLane, type FlashPurchase } from "./lane.ts";
import { flashRoutes } from "./routes.ts";

/** Flash sales: one route, and the lane behind it. */
export interface FlashModule extends AsyncDisposable {
  readonly routes: (server: Server) => void;
}

/** What flash sales stand on. */
export interface FlashModuleOptions {
  /** Stock on connections that nobody else waits for. */
  readonly crowdStock: Pick<Stock, "flash">;
  readonly strategy: Strategy;
  readonly orders: Pick<OrderService, "place" | "settle">;
  readonly placing: Omit<Placing, "source">;
  readonly clock: Clock;
  readonly guards: Guards;
}

/** Flash sales over a stock: as a lane, or purchase by purchase where the strategy says so. */
export function flashModule({
  crowdStock: stock,
  strategy,
  orders,
  placing,
  clock,
  guards,
}: FlashModuleOptions): FlashModule {
  const lane = flashLane({ stock, placing, clock });

  async function buy(purchase: FlashPurchase): Promise<Accepted> {
    if (strategy === "gate") return orders.settle(await lane.reserve(purchase), "flash");
    const { userId, productId, quantity, key } = purchase;
    return orders.place({ userId, key, source: "flash", items: [{ product_id: productId, quantity }] });
  }

  return {
    routes: (server) => flashRoutes(server, { guards, clock, buy }),
    [Symbol.asyncDispose]: () => lane[Symbol.asyncDispose](),
  };
}
