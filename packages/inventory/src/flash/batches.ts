import { hasCode, sleep } from "@sluice/core";

import { inventoryEvents } from "../events.ts";
import type { Hints } from "../hints.ts";
import type { Level, Line } from "../reservation.ts";
import type { Settings } from "../settings.ts";
import type { Decision, Wanted, WantedBatch } from "../store.ts";
import type { Waiting } from "./waiting.ts";
import type { Windows } from "./windows.ts";

/** A reservation that was just made, in the transaction that has made it. */
export interface Reserved {
  readonly id: string;
  readonly lines: readonly Line[];
  readonly reference: string | undefined;
}

/** Writes what belongs to new reservations with them: orders, jobs. All of it is committed, or nothing. */
export type OnReserved<Tx> = (tx: Tx, reserved: readonly Reserved[]) => Promise<void>;

/** What batches are run with. */
export interface BatchesOptions<Tx> {
  readonly settings: Settings<Tx>;
  readonly hints: Hints | undefined;
  readonly soldOut: Windows;
  readonly onReserved: OnReserved<Tx> | undefined;
  /** What still waits, for the event. */
  readonly waiting: () => number;
}

const firstPauseMs = 20;
const longestPauseMs = 250;

/**
 * Runs batches until each of their callers has an answer or has gone. A connection that breaks is not an answer: the same
 * ids are asked for again, and the database tells what became of them.
 */
export class Batches<Tx> {
  readonly #options: BatchesOptions<Tx>;

  constructor(options: BatchesOptions<Tx>) {
    this.#options = options;
  }

  async run(batch: readonly Waiting[]): Promise<void> {
    const { clock, random } = this.#options.settings;
    let pauseMs = firstPauseMs;
    for (let live = batch; live.length > 0; live = live.filter(({ isSettled }) => !isSettled)) {
      const error = await this.#attempt(live);
      if (error === undefined) return;
      if (!isOutage(error)) return this.#divide({ live, error });
      await sleep(clock, random.float() * pauseMs);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  // One request that cannot be done must not take the others with it.
  async #divide({ live, error }: Failed): Promise<void> {
    const [only] = live;
    if (live.length === 1) return only?.fail(error);
    const middle = Math.ceil(live.length / 2);
    await this.run(live.slice(0, middle));
    await this.run(live.slice(middle));
  }

  async #attempt(live: readonly Waiting[]): Promise<unknown> {
    const wereUncertain = live.map(({ isUncertain }) => isUncertain);
    for (const each of live) each.sent();
    let decisions: readonly Decision[];
    try {
      decisions = await this.#ask(live);
    } catch (error) {
      const isCertain = !hasCode(error, "ERR_SLUICE_INVENTORY_UNKNOWN");
      if (isCertain) for (const [place, each] of live.entries()) each.refused(error, wereUncertain[place] ?? true);
      return error;
    }
    for (const [place, each] of live.entries()) if (!each.isSettled) each.decide(decisions[place] ?? lost);
    return undefined;
  }

  async #ask(live: readonly Waiting[]): Promise<readonly Decision[]> {
    const [first] = live;
    if (first?.asked.isAlone) return [await this.#askAlone(first.asked.wanted)];
    return this.#askTogether(
      first?.asked.wanted.lines[0]?.productId ?? "",
      live.map(({ asked: { wanted } }) => ({ id: wanted.id, quantity: wanted.lines[0]?.quantity ?? 0 })),
    );
  }

  async #askTogether(productId: string, requests: WantedBatch["requests"]): Promise<readonly Decision[]> {
    const { settings, onReserved, soldOut, waiting } = this.#options;
    const { store, clock, reservationTtlMs: ttlMs } = settings;
    const startedMs = clock.monotonic();
    const { decisions, level } = await store.reserveBatch(
      { productId, ttlMs, requests },
      onReserved &&
        ((tx, units) =>
          onReserved(
            tx,
            units.map(({ id, quantity }) => ({ id, lines: [{ productId, quantity }], reference: undefined })),
          )),
    );
    if (level?.available === 0) soldOut.add(productId);
    else soldOut.remove(productId);
    if (level) this.#learn([level]);
    const reserved = decisions.filter(({ outcome }) => outcome === "reserved").length;
    const durationMs = clock.monotonic() - startedMs;
    const size = requests.length;
    inventoryEvents.publish({ type: "batch", productId, size, reserved, durationMs, waiting: waiting() });
    return decisions;
  }

  async #askAlone(wanted: Wanted): Promise<Decision> {
    const { settings, onReserved } = this.#options;
    const { id, lines, reference } = wanted;
    const decision = await settings.store.reserveWith(wanted, async (tx) =>
      onReserved?.(tx, [{ id, lines, reference }]),
    );
    if (decision.outcome === "reserved") this.#learn(decision.levels);
    return decision;
  }

  #learn(levels: readonly Level[]): void {
    this.#options.hints?.publish(levels);
  }
}

interface Failed {
  readonly live: readonly Waiting[];
  readonly error: unknown;
}

const lost: Decision = { outcome: "conflict" };

function isOutage(error: unknown): boolean {
  return hasCode(error, "ERR_SLUICE_INVENTORY_UNAVAILABLE") || hasCode(error, "ERR_SLUICE_INVENTORY_UNKNOWN");
}
