import { InvalidArgumentError, sleep, type Clock } from "@sluice/core";
import type { Redis, Reply } from "@sluice/redis";

import { EncodedRecord } from "../../record.ts";
import { readHead } from "./read-head.ts";

/** How the keys of a server are walked through. */
export interface WalkOptions {
  /** Most keys that the server looks at in a second, all of its keys counted. Default 10 000. */
  readonly keysPerSecond?: number;
  /** Ends the walk. */
  readonly signal?: AbortSignal;
}

/** A record as it was seen, without its payload. */
export interface Seen {
  readonly key: string;
  readonly record: EncodedRecord;
}

/** What a page of a walk has. */
export interface Page {
  readonly records: readonly Seen[];
  /** Keys that look like a record's, and hold none. */
  readonly foreign: number;
}

const keysPerPage = 500;

/**
 * Walks through all records of a family, of any version, at an even pace. A Cluster is walked master by master. A
 * record that is there all the while is seen, perhaps twice.
 *
 * @yields pages of records, those without any included.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export async function* walk(
  redis: Redis,
  family: string,
  { keysPerSecond = 10_000, signal, clock }: WalkOptions & { readonly clock: Clock },
): AsyncGenerator<Page> {
  if (!(keysPerSecond >= 1)) throw new InvalidArgumentError("keysPerSecond", "a number from 1", keysPerSecond);
  const own = new RegExp(`^(?:v\\d+:)?${family.replaceAll(".", "\\.")}:`);
  const pageMs = (keysPerPage / keysPerSecond) * 1000;
  let cursor = "0";
  do {
    const beganMs = clock.monotonic();
    const args = [cursor, "MATCH", `*${family}:*`, "COUNT", keysPerPage, "TYPE", "string"];
    const [next, keys] = (await redis.read("SCAN", args)) as readonly [Reply, readonly Reply[]];
    yield await page(
      redis,
      keys.map(String).filter((key) => own.test(key)),
    );
    cursor = String(next);
    const restMs = pageMs - (clock.monotonic() - beganMs);
    if (cursor !== "0" && restMs > 0) await sleep(clock, restMs, signal);
    signal?.throwIfAborted();
  } while (cursor !== "0");
}

async function page(redis: Redis, keys: readonly string[]): Promise<Page> {
  const heads = await Promise.all(keys.map((key) => readHead(redis, key)));
  const records = keys.flatMap((key, index) => {
    const record = heads[index];
    return record instanceof EncodedRecord ? [{ key, record }] : [];
  });
  return { records, foreign: heads.filter((head) => head === "foreign").length };
}
