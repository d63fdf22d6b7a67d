import { expect } from "vitest";

import type { App, Framework, FrameworkName, Server } from "./framework.ts";
import { createProbe, type Probe, type ProbeOptions } from "./probe.ts";

/** One promise of the contract, kept by every framework. */
export interface ContractCase {
  /** A sentence that a user would believe. */
  readonly title: string;
  /** Frameworks that do not have what the case is about, and what they lack. */
  readonly notOffered?: Readonly<Partial<Record<FrameworkName, string>>>;
  readonly check: (fixture: Fixture) => Promise<void>;
}

/** What a case works with. Everything it makes is closed after it. */
export interface Fixture {
  readonly framework: FrameworkName;
  /** A port on which the application listens. */
  readonly listen: (app: App) => Promise<number>;
  readonly probe: (options?: ProbeOptions) => Probe;
}

/**
 * Runs a case, closes its servers, and asserts the law that holds in all of them: each request that a guard let pass
 * was settled, and settled once.
 */
export async function checkCase(contractCase: ContractCase, framework: Framework): Promise<void> {
  const servers: Server[] = [];
  const probes: Probe[] = [];
  const fixture: Fixture = {
    framework: framework.name,
    async listen(app) {
      const server = await framework.listen(app);
      servers.push(server);
      return server.port;
    },
    probe(options) {
      const probe = createProbe(options);
      probes.push(probe);
      return probe;
    },
  };
  try {
    await contractCase.check(fixture);
    for (const probe of probes) await probe.settled(probe.passed);
  } finally {
    for (const server of servers) await server.close();
  }
  for (const probe of probes) expect(probe.outcomes, `outcomes of ${probe.guard.name}`).toHaveLength(probe.passed);
}
