import { InvalidArgumentError, systemClock, type Clock } from "@sluice/core";
import { createCoalescer, type Redis } from "@sluice/redis";

import type { Admission } from "./admission.ts";
import { admitScript, publishScript } from "./redis/scripts.generated.ts";

/** Options of {@link redisAdmission}. */
export interface RedisAdmissionOptions {
  /** Put before every product. Default `stock:`. */
  readonly prefix?: string;
  /** How long a hint lives without being published again, in ms, from 1000. Default 60 000. */
  readonly ttlMs?: number;
  /** Longest wait for an answer in ms. Default 50. */
  readonly deadlineMs?: number;
  /** Default: the clock of this machine. It measures waits only. */
  readonly clock?: Clock;
}

/**
 * Hints in Redis, shared by all processes: `stock:<product>` counts what is probably left, `{stock:<product>}:v` says of
 * which version. Losing them, or finding nonsense there, costs latency only. One round trip each, and one command for all
 * that happens in the same turn.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function redisAdmission(
  redis: Redis,
  { prefix = "stock:", ttlMs = 60_000, deadlineMs = 50, clock = systemClock }: RedisAdmissionOptions = {},
): Admission {
  if (!(Number.isSafeInteger(ttlMs) && ttlMs >= 1000)) {
    throw new InvalidArgumentError("ttlMs", "a whole number from 1000", ttlMs);
  }
  const admit = createCoalescer({ redis, script: admitScript, deadlineMs, clock });
  const publish = createCoalescer({ redis, script: publishScript, deadlineMs, clock });
  const keyOf = (productId: string): string => prefix + productId.replaceAll(/[{}%]/g, encodeURIComponent);
  return {
    async admit(productId, quantity) {
      const left = Number(await admit.run({ keys: [keyOf(productId)], args: [quantity] }));
      if (left === -2) return "unknown";
      return left === -1 ? "sold_out" : "admitted";
    },
    async publish(levels) {
      const replies = levels.map(({ productId, available, version }) => {
        const key = keyOf(productId);
        // Without braces in the key, the tag is the whole of it: both lie in one slot.
        return publish.run({ keys: [key, `{${key}}:v`], args: [available, version, ttlMs] });
      });
      return (await Promise.all(replies)).map((reply) => hintBefore(Array.isArray(reply) ? reply[1] : undefined));
    },
  };
}

function hintBefore(before: unknown): number | undefined {
  const hint = typeof before === "string" ? Number(before) : Number.NaN;
  return Number.isSafeInteger(hint) ? hint : undefined;
}
