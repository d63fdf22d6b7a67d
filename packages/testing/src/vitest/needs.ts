import type { ServiceName } from "../services/service.ts";
import { declareSuite } from "./declare.ts";
import { service } from "./provided.ts";

declare module "vitest" {
  interface TaskMeta {
    /** Why this suite was left out: what it needs, and what the run has instead. */
    sluiceLeftOut?: string;
  }
}

/** What a suite needs of each service: `"real"` is the genuine server, not a stand-in from npm. */
export type Needs = Readonly<Partial<Record<ServiceName, "real">>>;

/**
 * A suite for what a stand-in cannot do. Where a service of the run does not meet the need, the suite is left out and
 * the reason is kept in the suite's metadata as `sluiceLeftOut`, for a reporter to show.
 *
 * @param needs - Such as `{ redis: "real" }`.
 * @throws `Error` when the run has no such service at all.
 */
export function describeNeeding(needs: Needs, title: string, suite: () => void): void {
  const unmet = Object.keys(needs)
    .map((name) => service(name as ServiceName))
    .filter(({ real }) => !real);
  if (unmet.length === 0) {
    declareSuite(title, {}, suite);
    return;
  }
  const reason = unmet.map(({ name, origin, version }) => `needs a real ${name}, has ${version} of origin ${origin}`);
  declareSuite(title, { skip: true, meta: { sluiceLeftOut: reason.join("; ") } }, suite);
}
