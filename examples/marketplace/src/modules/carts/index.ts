import { systemClock } from "@sluice/core";
import { connectRedis } from "@sluice/redis/ioredis";

import type { Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import type { ProductCards } from "../products/index.ts";
import { mostLines } from "./cart.ts";
import { memoryCarts } from "./memory-store.ts";
import { redisCarts } from "./redis/store.ts";
import { cartRoutes } from "./routes.ts";
import { cartService } from "./service.ts";

/** What carts stand on. */
export interface CartsModuleOptions {
  /** Where they live. Undefined: in this process. */
  readonly redisUrl: string | undefined;
  /** How long a cart that nobody changes is kept. */
  readonly ttlMs: number;
  readonly cards: ProductCards;
  readonly guards: Guards;
}

/** Carts, and the connection that they live behind. */
export interface CartsModule extends AsyncDisposable {
  readonly routes: (server: Server) => void;
}

/** For carts in a process. */
const mostCarts = 10_000;

/** Carts: what people mean to buy. Nothing depends on them, so when their Redis is away, everything else goes on. */
export function cartsModule({ redisUrl, ttlMs, cards, guards }: CartsModuleOptions): CartsModule {
  const redis = redisUrl === undefined ? undefined : connectRedis({ url: redisUrl, role: "carts" });
  const bounds = { ttlMs, mostLines };
  const store = redis ? redisCarts(redis, bounds) : memoryCarts({ ...bounds, mostCarts, clock: systemClock });
  const service = cartService(store, cards);
  return {
    routes: (server) => cartRoutes(server, service, guards),
    async [Symbol.asyncDispose]() {
      await redis?.close();
    },
  };
}
