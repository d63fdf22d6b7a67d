import { checkedMs, checkedWhole } from "../checks.ts";
import { inventoryEvents } from "../events.ts";
import type { Hints } from "../hints.ts";
import { announce, resultOf } from "../outcome.ts";
import type { Reserver, ReserveRequest, ReserveResult } from "../reservation.ts";
import type { Settings } from "../settings.ts";
import type { Wanted } from "../store.ts";
import { wantedOf } from "../wanted.ts";
import { Batches, type OnReserved } from "./batches.ts";
import { Lanes } from "./lanes.ts";
import { Windows } from "./windows.ts";

/** How a flash lane works. */
export interface FlashOptions<Tx> {
  /** Batches that are underway at once, each on a connection of its own, from 1 to 64. Default 2. */
  readonly connections?: number;
  /** Reservations of one batch, from 1 to 5000. Default 500. */
  readonly maxBatch?: number;
  /** Callers that may wait to be sent. One more is told that the lane is overloaded. Default 20 000. */
  readonly maxQueue?: number;
  /** Longest wait of a caller for the answer, in ms. Default 2000. */
  readonly deadlineMs?: number;
  /** How long a product that was sold out is so for fresh requests without being asked for, in ms; 0 is never. Default 100. */
  readonly latchMs?: number;
  /** Writes what belongs to new reservations, in their transaction. What it throws refuses the reservation. */
  readonly onReserved?: OnReserved<Tx>;
}

/**
 * Reservations for crowds: whoever wants the same product at the same time is one transaction with one row lock. The
 * answer comes after its commit.
 */
export interface Flash extends Reserver, AsyncDisposable {
  /** Callers who were not sent yet. */
  readonly waiting: number;
  /**
   * As {@link Inventory.reserve}, in the batch of its product. A request for several products, or with a `ttlMs`, a
   * `reference` or `replaces`, is a batch by itself.
   *
   * @throws `ERR_SLUICE_INVENTORY_DEADLINE`: not sent within `deadlineMs`. Nothing is held.
   * @throws `ERR_SLUICE_INVENTORY_UNKNOWN`: sent, and no answer came. Ask again with the same id, not `fresh`.
   * @throws `ERR_SLUICE_INVENTORY_OVERLOADED` with `retryAfterMs`: too many wait. Nothing is held.
   * @throws `ERR_SLUICE_INVENTORY_UNAVAILABLE`: the database was away for all of `deadlineMs`. Nothing is held.
   * @throws `ERR_SLUICE_INVENTORY_CLOSED` after {@link Flash.close}.
   */
  reserve(request: ReserveRequest): Promise<ReserveResult>;
  /** Takes nobody in any more, and resolves when everybody has an answer. */
  close(): Promise<void>;
}

/** What a lane stands on. */
export interface FlashGround<Tx> {
  readonly settings: Settings<Tx>;
  readonly hints: Hints | undefined;
}

// How often the counter's no is put to the test, per product and process.
const canaryMs = 100;

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function createFlash<Tx>(ground: FlashGround<Tx>, options: FlashOptions<Tx>): Flash {
  return new FlashLane(ground, options);
}

class FlashLane<Tx> implements Flash {
  readonly #ground: FlashGround<Tx>;
  readonly #deadlineMs: number;
  readonly #soldOut: Windows;
  readonly #canaries: Windows;
  readonly #lanes: Lanes;

  constructor(ground: FlashGround<Tx>, options: FlashOptions<Tx>) {
    const { settings, hints } = ground;
    const { clock } = settings;
    const { onReserved } = options;
    const soldOut = new Windows(clock, checkedWhole("latchMs", options.latchMs ?? 100, [0, 60_000]));
    const batches = new Batches({ settings, hints, soldOut, onReserved, waiting: () => this.waiting });
    this.#ground = ground;
    this.#deadlineMs = checkedMs("deadlineMs", options.deadlineMs ?? 2000);
    this.#soldOut = soldOut;
    this.#canaries = new Windows(clock, canaryMs);
    this.#lanes = new Lanes({
      clock,
      connections: checkedWhole("connections", options.connections ?? 2, [1, 64]),
      maxBatch: checkedWhole("maxBatch", options.maxBatch ?? 500, [1, 5000]),
      maxQueue: checkedWhole("maxQueue", options.maxQueue ?? 20_000, [1, 1_000_000]),
      run: (batch) => batches.run(batch),
    });
  }

  get waiting(): number {
    return this.#lanes.waiting;
  }

  async reserve(request: ReserveRequest): Promise<ReserveResult> {
    const { settings } = this.#ground;
    const wanted = wantedOf(request, settings);
    const result = await this.#answer(wanted, request);
    announce(result, "gate");
    return result;
  }

  close(): Promise<void> {
    return this.#lanes.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #answer(wanted: Wanted, { fresh = false }: ReserveRequest): Promise<ReserveResult> {
    const { id, lines } = wanted;
    const [line] = lines;
    const askedMs = this.#ground.settings.clock.monotonic();
    const dueMs = askedMs + this.#deadlineMs;
    if (!line || !this.#ridesAlong(wanted)) {
      // No product has such an id.
      return resultOf(id, await this.#lanes.add({ wanted, lane: `\0${id}`, isAlone: true, askedMs, dueMs }));
    }
    const { productId, quantity } = line;
    const isAdmitted = fresh && this.#ground.hints !== undefined;
    if (fresh && (await this.#isSoldOut(productId, quantity))) {
      return { status: "sold_out", id, productId, available: 0, certainty: "hint" };
    }
    const decision = await this.#lanes.add({ wanted, lane: productId, isAlone: false, askedMs, dueMs });
    if (isAdmitted && decision.outcome === "sold_out")
      inventoryEvents.publish({ type: "admission-refused", productId });
    return resultOf(id, decision);
  }

  #ridesAlong({ lines, ttlMs, reference, replaces }: Wanted): boolean {
    const isPlain = reference === undefined && replaces === undefined;
    return isPlain && lines.length === 1 && ttlMs === this.#ground.settings.reservationTtlMs;
  }

  async #isSoldOut(productId: string, quantity: number): Promise<boolean> {
    if (this.#soldOut.has(productId)) return true;
    const { hints } = this.#ground;
    if (!hints || (await hints.admits(productId, quantity))) return false;
    if (this.#canaries.has(productId)) return true;
    // The counter may be wrong: one goes to see.
    this.#canaries.add(productId);
    return false;
  }
}
