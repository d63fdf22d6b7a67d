import { checkedMs, checkedText, checkedWhole } from "./checks.ts";
import { inventoryEvents } from "./events.ts";
import type { Purged, StockEvent, StockLevel, Violation } from "./reservation.ts";
import type { Settings } from "./settings.ts";
import type { InventoryStore } from "./store.ts";

/** What keeps stock in order over the years. */
export interface Upkeep<Tx> {
  /**
   * The products whose numbers contradict each other: none. Takes no locks. It costs a row per product, the movements
   * since the last {@link Upkeep.checkpoint} and the open holds, and does not grow with what was ever sold.
   *
   * @param limit - At most so many, to 10 000. Default 1000.
   */
  verify(limit?: number): Promise<readonly Violation[]>;
  /** Adds up the movements of all products, so that `verify` need not. Products whose sums are wrong stay as they are. */
  checkpoint(): Promise<void>;
  /**
   * Sets the hints of one product, or of all, to what PostgreSQL says. Returns the hints that said something else; while
   * something is being sold that is normal.
   */
  reconcile(productId?: string): Promise<readonly Drift[]>;
  /** Products of which no more is available than their threshold, in the order of their ids. Reads all products. */
  lowStock(page?: { readonly after?: string; readonly limit?: number }): Promise<readonly StockLevel[]>;
  /**
   * Hands the oldest thresholds that were crossed to `handle`, in a transaction that also deletes them: what the handler
   * writes with `tx` happens once for each, what it does elsewhere at least once. Returns how many there were.
   */
  deliver(handle: (tx: Tx, events: readonly StockEvent[]) => Promise<void>, limit?: number): Promise<number>;
  /** Moves movements out of the way that are older and covered by a checkpoint. Their keys stay known. Returns how many. */
  archive(olderThanMs: number, limit?: number): Promise<number>;
  /**
   * Deletes archived movements, ended reservations and events that nobody took that are older. Their keys and ids are
   * forgotten.
   */
  purge(olderThanMs: number, limit?: number): Promise<Purged>;
}

/** A hint that was set right. */
export interface Drift {
  readonly productId: string;
  /** What the hint said. */
  readonly hint: number;
  readonly available: number;
}

const pageSize = 100;
const manyRows = 10_000;

export function createUpkeep<Tx>({ store, admission }: Settings<Tx>): Upkeep<Tx> {
  async function reconciled(levels: readonly StockLevel[]): Promise<readonly Drift[]> {
    if (!admission || levels.length === 0) return [];
    const before = await admission.publish(levels);
    const drifts = levels.flatMap(({ productId, available }, place) => {
      const hint = before[place];
      return hint === undefined || hint === available ? [] : [{ productId, hint, available }];
    });
    for (const drift of drifts) inventoryEvents.publish({ type: "drift", ...drift });
    return drifts;
  }

  return {
    async verify(limit = 1000) {
      const violations = await store.violations(checkedWhole("limit", limit, [1, manyRows]));
      for (const violation of violations) inventoryEvents.publish({ type: "violation", ...violation });
      return violations;
    },
    async checkpoint() {
      let after: string | undefined = "";
      while (after !== undefined) after = await store.checkpoint({ after, limit: pageSize });
    },
    async reconcile(productId) {
      if (productId !== undefined) return reconciled(await store.levels([checkedText("productId", productId)]));
      const drifts: Drift[] = [];
      for await (const levels of pages(store)) drifts.push(...(await reconciled(levels)));
      return drifts;
    },
    async lowStock({ after = "", limit = pageSize } = {}) {
      if (after !== "") checkedText("after", after);
      return store.lowStock({ after, limit: checkedWhole("limit", limit, [1, manyRows]) });
    },
    async deliver(handle, limit = pageSize) {
      return store.deliver(checkedWhole("limit", limit, [1, manyRows]), handle);
    },
    async archive(olderThanMs, limit = 1000) {
      return store.archive(checkedMs("olderThanMs", olderThanMs), checkedWhole("limit", limit, [1, manyRows]));
    },
    async purge(olderThanMs, limit = 1000) {
      return store.purge(checkedMs("olderThanMs", olderThanMs), checkedWhole("limit", limit, [1, manyRows]));
    },
  };
}

async function* pages<Tx>(store: InventoryStore<Tx>): AsyncGenerator<readonly StockLevel[]> {
  for (let after = ""; ;) {
    const levels = await store.page({ after, limit: pageSize });
    if (levels.length > 0) yield levels;
    const last = levels.at(-1);
    if (!last || levels.length < pageSize) return;
    after = last.productId;
  }
}
