import { findProgram } from "@sluice/testing/services";
import { describeNeeding } from "@sluice/testing/vitest";

const programs = ["redis-server", "valkey-server"];

/** The Redis that is installed on this machine. */
export const localRedis = findProgram(...programs);

/** A suite that is left out, and reported, on a machine without a Redis of its own. */
export function describeWithLocalRedis(title: string, suite: (binary: string) => void): void {
  describeNeeding({ programs: [programs] }, title, () => suite(localRedis ?? "redis-server"));
}
