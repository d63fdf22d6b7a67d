import { inject } from "vitest";

import type { ServiceFacts, ServiceName } from "../services/service.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** What the run's global setup has started. */
    sluiceServices: readonly ServiceFacts[];
  }
}

/**
 * The PostgreSQL or the Redis of this test run, which its global setup has started and will stop.
 *
 * @throws `Error` when the run's global setup has provided no such service.
 */
export function service(name: ServiceName): ServiceFacts {
  // Vitest types it as always there, which it is only where a global setup provided it.
  const provided: readonly ServiceFacts[] | undefined = inject("sluiceServices");
  const found = provided?.find((facts) => facts.name === name);
  if (found) return found;
  throw new Error(`No ${name} in this test run: a global setup must provide("sluiceServices", [...])`);
}
