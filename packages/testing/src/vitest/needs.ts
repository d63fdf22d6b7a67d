import { findProgram } from "../services/find-program.ts";
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
export interface Needs extends Readonly<Partial<Record<ServiceName, "real">>> {
  /**
   * What must be installed, as `findProgram` finds it: `["pgbouncer"]`. A list within the list names alternatives:
   * `[["redis-server", "valkey-server"]]`.
   */
  readonly programs?: readonly (string | readonly string[])[];
}

/**
 * A suite for what a stand-in cannot do, or what takes a program that not every machine has. Where a need is not met,
 * the suite is left out and the reason is kept in the suite's metadata as `sluiceLeftOut`, for a reporter to show.
 *
 * @param needs - Such as `{ redis: "real" }` or `{ programs: ["pgbouncer"] }`.
 * @throws `Error` when it needs a service, and the run has no such service at all.
 */
export function describeNeeding({ programs = [], ...services }: Needs, title: string, suite: () => void): void {
  const unmet = [...standInsAmong(Object.keys(services)), ...missingAmong(programs)];
  if (unmet.length === 0) declareSuite(title, {}, suite);
  else declareSuite(title, { skip: true, meta: { sluiceLeftOut: unmet.join("; ") } }, suite);
}

function standInsAmong(names: readonly string[]): string[] {
  return names
    .map((name) => service(name as ServiceName))
    .filter(({ real }) => !real)
    .map(({ name, origin, version }) => `needs a real ${name}, has ${version} of origin ${origin}`);
}

function missingAmong(programs: NonNullable<Needs["programs"]>): string[] {
  return programs
    .map((alternatives) => [alternatives].flat())
    .filter((alternatives) => findProgram(...alternatives) === undefined)
    .map((alternatives) => `needs the program ${alternatives.join(" or ")}, which is not installed`);
}
