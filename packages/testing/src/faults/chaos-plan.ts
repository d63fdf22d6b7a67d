import { InvalidArgumentError, type Random } from "@sluice/core";

/**
 * What happens to one call:
 *
 * - `refuse`: nothing is done, and the error says so.
 * - `slow`: it is done after a delay.
 * - `hang`: nothing happens until it is released, and then it is done. A bound ends the wait with nothing done, which
 *   the caller cannot know.
 * - `loseReply`: it is done, and the error says that nobody knows.
 * - `duplicate`: it is done twice, one after the other, as by a client that resends. The second answer counts.
 * - `reorder`: it is done after a call that came later has ended.
 */
export type ChaosFault = "refuse" | "slow" | "hang" | "loseReply" | "duplicate" | "reorder";

/** The probability of each fault, from 0 to 1, together at most 1. What is left is the probability of none. */
export type ChaosPlan = Readonly<Partial<Record<ChaosFault, number>>>;

/** Every fault, in the order in which a draw looks for them. */
export const chaosFaults: readonly ChaosFault[] = ["refuse", "slow", "hang", "loseReply", "duplicate", "reorder"];

/** Draws one fault. Every draw takes exactly one number, whatever comes out. */
export function drawFault(plan: ChaosPlan, random: Random): ChaosFault | "none" {
  let left = random.float();
  for (const fault of chaosFaults) {
    left -= plan[fault] ?? 0;
    if (left < 0) return fault;
  }
  return "none";
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the fault. */
export function assertPlan(plan: ChaosPlan): void {
  for (const [fault, probability] of Object.entries(plan)) {
    assertFault("plan", fault);
    if (!(probability >= 0 && probability <= 1)) {
      throw new InvalidArgumentError(`plan.${fault}`, "a probability from 0 to 1", probability);
    }
  }
  const sum = Object.values(plan).reduce((total, probability) => total + probability, 0);
  // The sum of fractions such as 0.1 may be a trifle above.
  if (sum > 1 + 1e-9) throw new InvalidArgumentError("plan", "probabilities that sum to at most 1", sum);
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option. */
export function assertFault(argument: string, fault: string): void {
  if (fault !== "none" && !chaosFaults.includes(fault as ChaosFault)) {
    throw new InvalidArgumentError(argument, `made of ${chaosFaults.join(", ")}`, fault);
  }
}
