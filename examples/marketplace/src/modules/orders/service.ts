import type { Strategy } from "@sluice/inventory";
import { withTransaction, type SqlDatabase, type SqlTransaction } from "@sluice/postgres";

import type { Page } from "../../http/envelope.ts";
import { Failure, notFound } from "../../http/failure.ts";
import type { Principal } from "../../http/principal.ts";
import type { Stock } from "../../infra/inventory.ts";
import type { PageRequest } from "../../paging/read-page.ts";
import { orderIdOf } from "./order-id.ts";
import type { Item, Order, OrderDetail, OrderSource, OrderStatus } from "./order.ts";
import { placeOrders, type Placing } from "./place-orders.ts";
import { orderDesk, type OrderRepository } from "./repository.ts";
import { accepted, keyReuse, outOfStock, type Accepted } from "./reserve-outcome.ts";

/** What somebody wants to buy. */
export interface Purchase {
  readonly userId: string;
  /** Of distinct products. */
  readonly items: readonly Item[];
  /** The same key is the same purchase. Undefined: a new one each time. */
  readonly key: string | undefined;
  readonly source: OrderSource;
}

/** What can be done with orders. */
export interface OrderService {
  /**
   * Reserves the units and writes the order and its jobs, all in one transaction.
   *
   * @throws a 404, or a 409 where there are not as many or the key belongs to another purchase.
   */
  place(purchase: Purchase): Promise<Accepted>;
  /** What came of a reservation for one product, to its buyer. @throws as `place`. */
  settle(result: Parameters<typeof accepted>[0], source: OrderSource): Promise<Accepted>;
  list(userId: string, request: PageRequest): Promise<Page<Order>>;
  /** One's own order, or for administrators any. @throws a 404. */
  byId(principal: Principal, id: string): Promise<OrderDetail>;
  /** Gives the units back. @throws a 404, or a 409 where it is too late for that. */
  cancel(principal: Principal, id: string): Promise<OrderDetail>;
  /** What administrators do. @throws a 404, or a 409 where no way leads there. */
  setStatus(principal: Principal, id: string, status: OrderStatus): Promise<OrderDetail>;
}

/** What orders stand on. */
export interface OrderGround {
  readonly sql: SqlDatabase;
  readonly stock: Stock;
  readonly strategy: Strategy;
  readonly repository: OrderRepository;
  readonly placing: Omit<Placing, "source">;
  /** Whether a product is for sale. */
  readonly isForSale: (productId: string) => Promise<boolean>;
}

/** The rules over orders and stock. */
export function orderService(ground: OrderGround): OrderService {
  const { sql, repository } = ground;

  async function move(principal: Principal, id: string, to: OrderStatus): Promise<OrderDetail> {
    const { userId, role } = principal;
    await withTransaction(sql, async (transaction) => {
      const desk = orderDesk(transaction);
      const held = await desk.hold(id);
      if (held === undefined || (role !== "admin" && held.user_id !== userId)) throw notFound("Order");
      if (!(await desk.mayBecome(held.status, to))) throw illegal(held.status, to);
      await moveStock(ground.stock, transaction, [id, to]);
      await desk.set([id], to);
    });
    return found(await repository.byId(id, undefined));
  }

  return {
    place: (purchase) => place(ground, purchase),
    settle: (result, source) => settle(ground, result, source),
    list: (userId, request) => repository.list(userId, request),
    byId: async ({ userId, role }, id) => found(await repository.byId(id, role === "admin" ? undefined : userId)),
    cancel: (principal, id) => move(principal, id, "cancelled"),
    setStatus: (principal, id, status) => move(principal, id, status),
  };
}

async function place(ground: OrderGround, { userId, items, key, source }: Purchase): Promise<Accepted> {
  const { stock, strategy, placing } = ground;
  const id = key === undefined ? crypto.randomUUID() : orderIdOf(userId, key);
  const lines = items.map(({ product_id: productId, quantity }) => ({ productId, quantity }));
  const products = lines.map(({ productId }) => productId);
  const result = await stock.transaction(products, async (transaction) => {
    const reserved =
      strategy === "optimistic"
        ? await stock.reserveWithOptimisticLock({ id, lines }, transaction)
        : await stock.reserve({ id, lines }, transaction);
    if (reserved.status === "reserved") {
      await placeOrders(transaction, [{ id, userId, items }], { ...placing, source });
    }
    return reserved;
  });
  return settle(ground, result, source);
}

async function settle(
  { repository, isForSale }: OrderGround,
  result: Parameters<typeof accepted>[0],
  source: OrderSource,
): Promise<Accepted> {
  // Not a word of a product is known to the inventory before its first delivery.
  if (result.status === "unknown_product" && (await isForSale(result.productId))) {
    throw outOfStock({ productId: result.productId, available: 0 });
  }
  const done = accepted(result);
  if (done.isRepeat && (await repository.sourceOf(done.id)) !== source) throw keyReuse();
  return done;
}

/** Sells what is held for an order that is confirmed, and gives back what is held for one that comes to nothing. */
async function moveStock(
  stock: Stock,
  transaction: SqlTransaction,
  [id, to]: readonly [string, OrderStatus],
): Promise<void> {
  if (to === "cancelled" || to === "expired") await stock.release(id, transaction, to);
  if (to !== "confirmed") return;
  const [resolution] = await stock.confirm(id, transaction);
  if (resolution?.status !== "confirmed") {
    throw new Failure(409, ["OUT_OF_STOCK", "Its units are held no longer, and others have bought them"]);
  }
}

function found(order: OrderDetail | undefined): OrderDetail {
  if (order === undefined) throw notFound("Order");
  return order;
}

function illegal(from: OrderStatus, to: OrderStatus): Failure {
  const message = `An order that is ${from} cannot become ${to}`;
  return new Failure(409, ["ILLEGAL_TRANSITION", message], { details: { from, to } });
}
