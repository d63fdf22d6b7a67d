import { statusError } from "@sluice/http";
import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { json, request } from "../client/request.ts";
import { scheme } from "../framework.ts";
import { hello, native, neutral } from "./handlers.ts";

const asAda = { authorization: `${scheme}ada` };

/** Where guards stand, and what a request looks like from there. */
export const stageCases: readonly ContractCase[] = [
  {
    title: "tells a guard of the stage address no principal, and one of the stage principal the principal",
    async check({ listen, probe }) {
      const early = probe({ stage: "address" });
      const late = probe({ stage: "principal" });
      const port = await listen({ guards: [late.guard, early.guard], routes: [hello] });
      await request(port, { path: "/hello", headers: asAda });
      expect([(await early.asked()).principal, (await late.asked()).principal]).toEqual([undefined, "ada"]);
    },
  },
  {
    title: "tells no principal where nobody is authenticated",
    async check({ listen, probe }) {
      const late = probe({ stage: "principal" });
      const port = await listen({ guards: [late.guard], routes: [hello] });
      await request(port, { path: "/hello" });
      expect((await late.asked()).principal).toBeUndefined();
    },
  },
  {
    title: "asks guards of both stages about unknown routes",
    async check({ listen, probe }) {
      const early = probe({ stage: "address" });
      const late = probe({ stage: "principal" });
      const port = await listen({ guards: [early.guard, late.guard], routes: [hello] });
      await request(port, { method: "POST", path: "/nowhere", headers: asAda, body: "{}" });
      expect([early.requests.length, late.requests[0]?.principal]).toEqual([1, "ada"]);
    },
  },
  {
    title: "asks guards about a method that a path has not",
    async check({ listen, probe }) {
      const early = probe({ stage: "address" });
      const port = await listen({ guards: [early.guard], routes: [hello] });
      expect((await request(port, { method: "DELETE", path: "/hello" })).status).toBe(405);
      expect(early.requests.length).toBe(1);
    },
  },
  {
    title: "asks a guard of one route about that route only",
    async check({ listen, probe }) {
      const own = probe({ stage: "principal" });
      const routes = [{ ...hello, guards: [own.guard] }, native("GET", "/other", ({ reply }) => reply(200))];
      const port = await listen({ routes });
      await request(port, { path: "/other" });
      await request(port, { path: "/hello", headers: asAda });
      expect(own.requests.map(({ path, principal }) => [path, principal])).toEqual([["/hello", "ada"]]);
    },
  },
  {
    title: "tells method, url, path and headers as the client sent them",
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      const headers = { "X-Two": ["a", "b"], "X-One": "c" };
      await request(port, { method: "PATCH", path: "/caf%C3%A9/a%2Fb?q=%20x&q=y", headers });
      const seen = await watcher.asked();
      expect([seen.method, seen.url, seen.path]).toEqual(["PATCH", "/caf%C3%A9/a%2Fb?q=%20x&q=y", "/caf%C3%A9/a%2Fb"]);
      expect([seen.header("x-two"), seen.header("X-ONE"), seen.header("x-none")]).toEqual(["a, b", "c", undefined]);
    },
  },
  {
    title: "tells a guard of one route the pattern of that route",
    async check({ listen, probe }) {
      const own = probe();
      const route = { ...native("GET", "/orders/:id", ({ reply }) => reply(200)), guards: [own.guard] };
      const port = await listen({ routes: [route] });
      await request(port, { path: "/orders/42" });
      expect((await own.asked()).route).toBe("/orders/:id");
    },
  },
  {
    title: "tells no pattern for an unknown route",
    async check({ listen, probe }) {
      const watcher = probe({ stage: "principal" });
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      await request(port, { path: "/nowhere" });
      expect((await watcher.asked()).route).toBeUndefined();
    },
  },
  {
    title: "answers a request that authentication refuses without asking guards of the stage principal",
    async check({ listen, probe }) {
      const early = probe({ stage: "address" });
      const gatekeeper = probe({
        name: "gatekeeper",
        stage: "principal",
        before: ({ principal }) => (principal === undefined ? Promise.reject(statusError(401)) : undefined),
      });
      const late = probe({ name: "late", stage: "principal" });
      const port = await listen({ guards: [early.guard, gatekeeper.guard, late.guard], routes: [hello] });
      expect((await request(port, { path: "/hello" })).status).toBe(401);
      expect(late.requests.length).toBe(0);
      expect(await early.outcome()).toMatchObject({ head: { status: 401 } });
    },
  },
  {
    title: "tells a neutral handler everything that a guard is told",
    async check({ listen }) {
      const route = neutral("POST", "/orders/:id", async (seen) => ({
        status: 200,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          method: seen.method,
          url: seen.url,
          path: seen.path,
          route: seen.route,
          principal: seen.principal,
        }),
      }));
      const port = await listen({ routes: [route] });
      const response = await request(port, { method: "POST", path: "/orders/7?x=1", headers: asAda, body: "" });
      expect(json(response)).toEqual({
        method: "POST",
        url: "/orders/7?x=1",
        path: "/orders/7",
        route: "/orders/:id",
        principal: "ada",
      });
    },
  },
];
