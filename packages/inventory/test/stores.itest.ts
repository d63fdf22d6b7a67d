import { runLaws } from "@sluice/testing/vitest";
import { afterAll, beforeAll } from "vitest";

import { inventoryLaws } from "../src/testing.ts";
import { openStock, type TestStock } from "./support.ts";

const kinds = {
  "stock in PostgreSQL": { schema: "sluice" },
  "stock in PostgreSQL without functions": { schema: "other_shop", plain: true },
};

for (const [title, options] of Object.entries(kinds)) {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock(options);
  });
  afterAll(() => stock[Symbol.asyncDispose]());
  runLaws(title, inventoryLaws, async () => {
    await stock.clear();
    return { store: stock.store, pass: (ms) => stock.pass(ms) };
  });
}
