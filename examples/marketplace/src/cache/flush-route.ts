import type { Cache } from "@sluice/cache";
import { hasCode } from "@sluice/core";
import { z } from "zod";

import { errorAnswers, ok, success } from "../http/envelope.ts";
import { invalidFields } from "../http/failure.ts";
import { textParameter } from "../http/parameters.ts";
import { bearer, principalOf, type Guards } from "../http/principal.ts";
import type { Server } from "../http/server.ts";

const prefixes = {
  listing_detail: "v1:listing_detail:",
  feed: "v1:feed:",
  products: "cache:products:",
  product: "product:",
} as const;

const scopes = Object.keys(prefixes) as (keyof typeof prefixes)[];

const flush = z
  .strictObject({
    scope: z.enum(["all", ...scopes]).optional(),
    prefix: textParameter(100).optional().describe("What keys begin with, as in `v1:feed:`"),
  })
  .refine(({ scope, prefix }) => (scope === undefined) !== (prefix === undefined), "must have a scope or a prefix");

const flushed = z.object({
  prefixes: z.array(z.string()),
  applied: z.int().describe("What no process will read any more"),
  queued: z.int().describe("What the store could not be told: it is repeated until it is"),
});

/** The route by which operators end what is cached. However much that is, it costs the same. */
export function cacheFlushRoute(server: Server, cache: Pick<Cache, "flush">, { admin }: Guards): void {
  const schema = {
    tags: ["ops"],
    ...bearer,
    summary: "End everything that is cached of a scope, or under a prefix",
    body: flush,
    response: { 200: success(flushed), ...errorAnswers },
  };
  server.post("/ops/cache/flush", { onRequest: admin, schema }, async (request) => {
    const named = prefixesOf(request.body);
    const outcomes = await Promise.all(named.map((prefix) => flushedAt(cache, prefix)));
    const total = (count: "applied" | "queued"): number => outcomes.reduce((sum, outcome) => sum + outcome[count], 0);
    const outcome = { prefixes: named, applied: total("applied"), queued: total("queued") };
    request.log.info({ ...outcome, user: principalOf(request).userId }, "The cache was flushed");
    return ok(request.id, outcome);
  });
}

function prefixesOf({ scope, prefix }: z.output<typeof flush>): string[] {
  if (prefix !== undefined) return [prefix];
  return scopes.filter((name) => scope === "all" || scope === name).map((name) => prefixes[name]);
}

async function flushedAt(cache: Pick<Cache, "flush">, prefix: string) {
  try {
    return await cache.flush(prefix);
  } catch (error) {
    if (!hasCode(error, "ERR_SLUICE_INVALID_ARGUMENT")) throw error;
    const known = Object.values(prefixes).join(", ");
    throw invalidFields([{ path: "body.prefix", message: `must be one of ${known}, or what one scope has after it` }]);
  }
}
