import { runLaws } from "@sluice/testing/vitest";

import { memoryStore } from "../src/index.ts";
import { cacheStoreLaws } from "../src/testing/index.ts";

runLaws("a cache store in memory", cacheStoreLaws, ({ clock, random }) => ({
  store: memoryStore({ clock, random }),
  prefix: "law",
  pass: (ms: number) => clock.advance(ms),
}));
