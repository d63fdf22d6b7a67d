import { InventoryDeadlineError, InventoryUnavailableError, InventoryUnknownError } from "../errors.ts";
import type { Decision, Wanted } from "../store.ts";

/** What a flash lane was asked for. */
export interface Asked {
  readonly wanted: Wanted;
  /** Who shares it may be one batch. */
  readonly lane: string;
  /** Whether it is a transaction of its own. */
  readonly isAlone: boolean;
  readonly askedMs: number;
  readonly dueMs: number;
}

/** One caller who waits for an answer, and gets exactly one. */
export class Waiting {
  readonly asked: Asked;
  readonly answer: Promise<Decision>;
  readonly #answer = Promise.withResolvers<Decision>();
  #isSettled = false;
  /** Whether an attempt was sent that may have reserved. */
  #isUncertain = false;
  #refusal: unknown;

  constructor(asked: Asked) {
    this.asked = asked;
    this.answer = this.#answer.promise;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  sent(): void {
    this.#isUncertain = true;
  }

  /** The attempt that was sent last has certainly done nothing, and `wasUncertain` is how it stood before. */
  refused(error: unknown, wasUncertain: boolean): void {
    this.#isUncertain = wasUncertain;
    this.#refusal = error;
  }

  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  decide(decision: Decision): void {
    this.#isSettled = true;
    this.#answer.resolve(decision);
  }

  fail(error: unknown): void {
    this.#isSettled = true;
    this.#answer.reject(error);
  }

  /** The deadline has passed. What is said is true: what may have been reserved is called unknown. */
  expire(nowMs: number): void {
    if (this.#isSettled) return;
    const { wanted, askedMs } = this.asked;
    const { id } = wanted;
    if (this.#isUncertain) this.fail(new InventoryUnknownError([id]));
    else if (this.#refusal !== undefined) this.fail(new InventoryUnavailableError({ cause: this.#refusal }));
    else this.fail(new InventoryDeadlineError(id, nowMs - askedMs));
  }
}
