import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { header, request, text } from "../client/request.ts";

/** Guards hear how each request ended, exactly once. That it is once, the harness asserts after every case. */
export const settleCases: readonly ContractCase[] = [
  {
    title: "settles once when the handler replies with text",
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({
        guards: [watcher.guard],
        routes: [{ method: "GET", path: "/text", native: ({ reply }) => reply(200, "hello", { "x-own": "1" }) }],
      });
      expect(text(await request(port, { path: "/text" }))).toBe("hello");
      const outcome = await watcher.outcome();
      expect(outcome).toMatchObject({ kind: "replied", head: { status: 200, headers: { "x-own": "1" } } });
      expect(outcome).not.toHaveProperty("body");
    },
  },
  {
    title: "holds and patches",
    async check({ listen, probe }) {
      const watcher = probe({
        reply: "body",
        headers: { "x-tier": "a" },
        settle: async () => ({ headers: { "x-own": "2" } }),
      });
      const port = await listen({
        guards: [watcher.guard],
        routes: [{ method: "GET", path: "/text", native: ({ reply }) => reply(200, "hello", { "x-own": "1" }) }],
      });
      const response = await request(port, { path: "/text" });
      expect(text(response)).toBe("hello");
      expect(header(response, "x-own")).toBe("2");
      expect(header(response, "x-tier")).toBe("a");
      expect(await watcher.outcome()).toMatchObject({ kind: "replied", body: Buffer.from("hello") });
    },
  },
];
