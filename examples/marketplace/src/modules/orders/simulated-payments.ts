import { sleep, type Clock } from "@sluice/core";

import type { Payments } from "./confirmation.ts";

/** Takes no money, in as much time as a provider would. */
export function simulatedPayments(clock: Clock, paymentMs: number): Payments {
  return { charge: () => sleep(clock, paymentMs) };
}
