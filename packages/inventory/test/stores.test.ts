import { runLaws } from "@sluice/testing/vitest";

import { inventoryLaws, memoryStore } from "../src/testing.ts";

runLaws("stock in memory", inventoryLaws, ({ clock }) => ({
  store: memoryStore({ clock }),
  pass: (ms) => clock.advance(ms),
}));
