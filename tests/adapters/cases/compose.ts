import { guards } from "@sluice/http";
import { expect } from "vitest";

import type { ContractCase, Fixture } from "../case.ts";
import { header, json, request, text } from "../client/request.ts";
import type { Probe, ProbeOptions } from "../probe.ts";
import { boom, fails, hello, native } from "./handlers.ts";

const context = native("GET", "/context", ({ context: told, reply }) => reply(200, { ...told }));

/** Two probes that write down the order in which they are asked and told. */
function ordered(
  { probe }: Fixture,
  options: ProbeOptions = {},
): { readonly log: string[]; readonly probes: readonly [Probe, Probe] } {
  const log: string[] = [];
  const logging = (name: "first" | "second"): Probe =>
    probe({
      ...options,
      name,
      context: { [name]: `told by ${name}` },
      before() {
        log.push(`${name} before`);
        return undefined;
      },
      settle({ kind }) {
        log.push(`${name} ${kind}`);
        return { headers: { [`x-${name}`]: "settled" } };
      },
    });
  return { log, probes: [logging("first"), logging("second")] };
}

/** Several guards before one handler. */
export const composeCases: readonly ContractCase[] = [
  ...[true, false].map((composed): ContractCase => ({
    title: `asks guards in order and tells them in reverse: ${composed ? "guards([a, b])" : "mounted one by one"}`,
    async check(fixture) {
      const { log, probes } = ordered(fixture, { reply: "body" });
      const mounted = probes.map(({ guard }) => guard);
      const port = await fixture.listen({ guards: composed ? [guards(mounted)] : mounted, routes: [hello] });
      const response = await request(port, { path: "/hello" });
      expect(log).toEqual(["first before", "second before", "second replied", "first replied"]);
      expect([header(response, "x-first"), header(response, "x-second")]).toEqual(["settled", "settled"]);
      expect(text(response)).toBe("hello");
    },
  })),
  {
    title: "tells an outer guard of the reply as the inner one has patched it",
    async check({ listen, probe }) {
      const outer = probe({ name: "outer", reply: "head" });
      const inner = probe({ name: "inner", reply: "head", settle: () => ({ headers: { "x-own": "inner" } }) });
      const port = await listen({ guards: [outer.guard, inner.guard], routes: [hello] });
      await request(port, { path: "/hello" });
      expect(await outer.outcome()).toMatchObject({ head: { headers: { "x-own": "inner" } } });
      expect(await inner.outcome()).toMatchObject({ head: { headers: { "x-own": "handler" } } });
    },
  },
  ...[true, false].map((composed): ContractCase => ({
    title: `tells guards that passed of the reply of a later guard: ${composed ? "guards([a, b])" : "mounted one by one"}`,
    async check({ listen, probe }) {
      const first = probe({ name: "first", headers: { "x-first": "set" } });
      const denied = { status: 429, headers: { "retry-after": "7" }, body: "slow down" };
      const second = probe({ name: "second", before: () => ({ reply: denied }) });
      const mounted = [first.guard, second.guard];
      const port = await listen({ guards: composed ? [guards(mounted)] : mounted, routes: [hello] });
      const response = await request(port, { path: "/hello" });
      expect([response.status, header(response, "retry-after"), text(response)]).toEqual([429, "7", "slow down"]);
      expect(header(response, "x-first")).toBe("set");
      expect(await first.outcome()).toMatchObject({ kind: "replied", head: { status: 429 } });
    },
  })),
  {
    title: "asks no guard after one that replied, and runs no handler",
    async check({ listen, probe }) {
      let handled = 0;
      const first = probe({ before: () => ({ reply: { status: 204, headers: {} } }) });
      const second = probe({ name: "second" });
      const route = native("GET", "/hello", ({ reply }) => {
        handled += 1;
        return reply(200);
      });
      const port = await listen({ guards: [first.guard, second.guard], routes: [route] });
      expect((await request(port, { path: "/hello" })).status).toBe(204);
      expect([second.requests.length, handled]).toEqual([0, 0]);
    },
  },
  ...[
    {
      how: "throws",
      before: (): never => {
        throw boom;
      },
    },
    { how: "rejects", before: () => Promise.reject(boom) },
  ].map(({ how, before }): ContractCase => ({
    title: `answers 500 when a guard's before ${how}, and tells the guards before it`,
    async check({ listen, probe }) {
      const first = probe({ name: "first" });
      const second = probe({ name: "second", before });
      const port = await listen({ guards: [first.guard, second.guard], routes: [hello] });
      const response = await request(port, { path: "/hello" });
      expect(json(response)).toMatchObject({ ok: false, error: { code: "INTERNAL_ERROR" } });
      expect(response.status).toBe(500);
      expect(await first.outcome()).toMatchObject({ head: { status: 500 } });
    },
  })),
  {
    title: "brings what guards tell to the handler",
    async check(fixture) {
      const { probes } = ordered(fixture);
      const port = await fixture.listen({ guards: probes.map(({ guard }) => guard), routes: [context] });
      expect(json(await request(port, { path: "/context" }))).toEqual({
        first: "told by first",
        second: "told by second",
      });
    },
  },
  {
    title: "brings what guards of one route tell to its handler, beside that of all routes",
    async check(fixture) {
      const { probes } = ordered(fixture);
      const [first, second] = probes;
      const port = await fixture.listen({ guards: [first.guard], routes: [{ ...context, guards: [second.guard] }] });
      expect(json(await request(port, { path: "/context" }))).toEqual({
        first: "told by first",
        second: "told by second",
      });
    },
  },
  {
    title: "keeps what guards tell apart between requests",
    async check({ listen, probe }) {
      const watcher = probe({
        before: ({ url }) => (url.endsWith("told") ? { pass: true, context: { first: "told" } } : { pass: true }),
      });
      const port = await listen({ guards: [watcher.guard], routes: [context] });
      expect(json(await request(port, { path: "/context?told" }))).toEqual({ first: "told" });
      expect(json(await request(port, { path: "/context" }))).toEqual({});
    },
  },
  ...[
    { title: "sets a guard's headers on a reply", path: "/hello", status: 200 },
    { title: "sets a guard's headers on the reply to an error", path: "/fails", status: 500 },
    { title: "sets a guard's headers on the reply to an unknown route", path: "/unknown", status: 404 },
  ].map(({ title, path, status }): ContractCase => ({
    title,
    async check({ listen, probe }) {
      const watcher = probe({ headers: { ratelimit: '"a";r=1', "set-cookie": ["a=1", "b=2"] } });
      const port = await listen({ guards: [watcher.guard], routes: [hello, fails] });
      const response = await request(port, { path });
      expect([response.status, header(response, "ratelimit")]).toEqual([status, '"a";r=1']);
      expect(response.headers.get("set-cookie")).toEqual(["a=1", "b=2"]);
    },
  })),
  {
    title: "lets the handler's own value of a header win over a guard's",
    async check({ listen, probe }) {
      const watcher = probe({ headers: { "x-own": "guard", "x-other": "guard" } });
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      const response = await request(port, { path: "/hello" });
      expect([header(response, "x-own"), header(response, "x-other")]).toEqual(["handler", "guard"]);
    },
  },
  {
    title: "answers 500 when a guard sets what is no header",
    async check({ listen, probe }) {
      const watcher = probe({ headers: { "x-bad": "a\r\nb" } });
      const port = await listen({ guards: [watcher.guard], routes: [hello] });
      expect((await request(port, { path: "/hello" })).status).toBe(500);
    },
  },
];
