import { hasCode, sleep } from "@sluice/core";

import { inventoryEvents } from "../events.ts";
import type { Hints } from "../hints.ts";
import type { Line } from "../reservation.ts";
import type { Settings } from "../settings.ts";
import type { BatchDecision, Decision } from "../store.ts";
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

  async run(productId: string, batch: readonly Waiting[]): Promise<void> {
    const { clock, random } = this.#options.settings;
    let pauseMs = firstPauseMs;
    for (let live = batch; live.length > 0; live = live.filter(({ isSettled }) => !isSettled)) {
      const error = await this.#attempt(productId, live);
      if (error === undefined) return;
      if (!isOutage(error)) return this.#divide(productId, { live, error });
      await sleep(clock, random.float() * pauseMs);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  // One request that cannot be done must not take the others with it.
  async #divide(productId: string, { live, error }: Failed): Promise<void> {
    const [only] = live;
    if (live.length === 1) return only?.fail(error);
    const middle = Math.ceil(live.length / 2);
    await this.run(productId, live.slice(0, middle));
    await this.run(productId, live.slice(middle));
  }

  async #attempt(productId: string, live: readonly Waiting[]): Promise<unknown> {
    const { settings, waiting } = this.#options;
    const startedMs = settings.clock.monotonic();
    const wereUncertain = live.map(({ isUncertain }) => isUncertain);
    for (const each of live) each.sent();
    let answer: BatchDecision;
    try {
      answer = await this.#ask(productId, live);
    } catch (error) {
      const isCertain = !hasCode(error, "ERR_SLUICE_INVENTORY_UNKNOWN");
      if (isCertain) for (const [place, each] of live.entries()) each.refused(error, wereUncertain[place] ?? true);
      return error;
    }
    for (const [place, each] of live.entries()) if (!each.isSettled) each.decide(answer.decisions[place] ?? lost);
    this.#learn(productId, answer);
    const reserved = answer.decisions.filter(({ outcome }) => outcome === "reserved").length;
    const durationMs = settings.clock.monotonic() - startedMs;
    inventoryEvents.publish({ type: "batch", productId, size: live.length, reserved, durationMs, waiting: waiting() });
    return undefined;
  }

  #ask(productId: string, live: readonly Waiting[]): Promise<BatchDecision> {
    const { settings, onReserved } = this.#options;
    const batch = { productId, ttlMs: settings.reservationTtlMs, requests: live.map(({ asked }) => asked) };
    if (!onReserved) return settings.store.reserveBatch(batch);
    return settings.store.reserveBatch(batch, (tx, units) =>
      onReserved(
        tx,
        units.map(({ id, quantity }) => ({ id, lines: [{ productId, quantity }], reference: undefined })),
      ),
    );
  }

  #learn(productId: string, { level }: BatchDecision): void {
    const { soldOut, hints } = this.#options;
    if (level?.available === 0) soldOut.add(productId);
    else soldOut.remove(productId);
    if (level) hints?.publish([level]);
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
