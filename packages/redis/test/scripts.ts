import { createHash } from "node:crypto";

import type { Script } from "../src/index.ts";

/** A script of a test, from its text. */
export function scriptOf(name: string, source: string): Script {
  return { name, source, sha1: createHash("sha1").update(source).digest("hex") };
}

/** Adds ARGV[1] to a counter and answers its value. */
export const count: Script = scriptOf("count", "return redis.call('INCRBY', KEYS[1], ARGV[1])");

/** Counts, but fails for the argument "poison" after it has written. */
export const poisonable: Script = scriptOf(
  "poisonable",
  "local now = redis.call('INCRBY', KEYS[1], 1) if ARGV[1] == 'poison' then return redis.call('LPUSH', KEYS[1], 1) end return now",
);

/** Admits while fewer than ARGV[1] were admitted: 1 or 0. What a limiter does. */
export const admit: Script = scriptOf(
  "admit",
  "local taken = tonumber(redis.call('GET', KEYS[1]) or '0') if taken >= tonumber(ARGV[1]) then return 0 end redis.call('SET', KEYS[1], taken + 1) return 1",
);

/** Sets a value if there is none: 1 or nothing. What a lock does. */
export const claim: Script = scriptOf(
  "claim",
  "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', 5000) then return 1 end return false",
);
