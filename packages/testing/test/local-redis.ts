import { findRedis } from "@sluice/testing/services";

import { declareSuite } from "../src/vitest/declare.ts";

/** The Redis that is installed on this machine. */
export const localRedis = await findRedis();

/** A suite that is left out, and reported, on a machine without a Redis of its own. */
export function describeWithLocalRedis(title: string, suite: (binary: string) => void): void {
  const reason = "needs a redis-server or valkey-server on this machine";
  declareSuite(title, localRedis === undefined ? { skip: true, meta: { sluiceLeftOut: reason } } : {}, () => {
    suite(localRedis ?? "redis-server");
  });
}
