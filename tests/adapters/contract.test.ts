import { afterAll, describe, it } from "vitest";

import { checkCase } from "./case.ts";
import { contractCases } from "./cases/index.ts";
import { expressFramework } from "./frameworks/express.ts";
import { fastifyFramework } from "./frameworks/fastify.ts";
import { honoFetchFramework, honoFramework } from "./frameworks/hono.ts";
import { createParityTable } from "./parity-table.ts";

const table = createParityTable();

afterAll(() => console.log(table.lines().join("\n")));

const frameworks = [expressFramework, fastifyFramework, honoFramework, honoFetchFramework];

describe.each(frameworks)("an adapter: $name", (framework) => {
  // Not by it.each, which cuts titles short.
  for (const contractCase of contractCases) {
    it(`keeps its promise: ${contractCase.title}`, async () => {
      const missing = contractCase.notOffered?.[framework.name];
      if (missing !== undefined) return table.record(contractCase.title, framework.name, `not offered: ${missing}`);
      table.record(contractCase.title, framework.name, "BROKEN");
      await checkCase(contractCase, framework);
      table.record(contractCase.title, framework.name, "kept");
    });
  }
});
