import { randomUUID } from "node:crypto";

import { service } from "@sluice/testing/vitest";
import { expect, it } from "vitest";

import { createCoalescer } from "../src/index.ts";
import { scriptOf } from "./scripts.ts";
import { connected } from "./servers.ts";

// How often the part before the mark has run, as seen by each entry.
const source = `local runs = redis.call('INCR', 'shared:RUN')
local seen = 0
--@entry
seen = seen + 1
return { runs, seen, KEYS[1], ARGV[1] }`;

it("runs what stands before the mark of a script once for all entries of a batch", async () => {
  const redis = connected({ url: service("redis").url, deadlineMs: 5000 });
  const script = scriptOf("shared", source.replace("RUN", randomUUID()));
  const coalescer = createCoalescer({ redis, script, deadlineMs: 5000 });
  const run = (name: string) => coalescer.run({ keys: [`{shared}${name}`], args: [name] });
  expect(await run("a")).toEqual([1, 1, "{shared}a", "a"]);
  expect(await Promise.all(["b", "c", "d"].map(run))).toEqual([
    [2, 1, "{shared}b", "b"],
    [2, 2, "{shared}c", "c"],
    [2, 3, "{shared}d", "d"],
  ]);
});
