import { addressGroup } from "@sluice/http";
import { expect } from "vitest";

import type { ContractCase } from "../case.ts";
import { header, json, request } from "../client/request.ts";
import type { App } from "../framework.ts";
import { boom, hello, native } from "./handlers.ts";

type Proxies = NonNullable<App["options"]>["proxies"];

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** The id that a request with these headers has: for its guards, in its reply, and in an error. */
function identified(
  title: string,
  headers: Readonly<Record<string, string | readonly string[]>>,
  expected: RegExp,
): ContractCase {
  return {
    title,
    async check({ listen, probe }) {
      const watcher = probe();
      const throwing = native("GET", "/fails", () => {
        throw boom;
      });
      const port = await listen({ guards: [watcher.guard], routes: [hello, throwing] });
      const answers = [
        await request(port, { path: "/hello", headers }),
        await request(port, { path: "/fails", headers }),
      ];
      for (const [index, answer] of answers.entries()) {
        expect(header(answer, "x-request-id")).toMatch(expected);
        expect(watcher.requests[index]?.id).toBe(header(answer, "x-request-id"));
      }
      const [, failed] = answers;
      expect(failed && json(failed)).toMatchObject({ trace_id: failed && header(failed, "x-request-id") });
    },
  };
}

/** The address of a client whose connection comes from 127.0.0.1. */
function addressed(
  title: string,
  { proxies, forwarded, expected }: { proxies?: Proxies; forwarded: string; expected: string },
): ContractCase {
  return {
    title,
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [hello], options: proxies ? { proxies } : {} });
      await request(port, { path: "/hello", headers: { "x-forwarded-for": forwarded } });
      expect((await watcher.asked()).address).toBe(expected);
    },
  };
}

/** Who a request is, and where it comes from. */
export const identityCases: readonly ContractCase[] = [
  identified("takes a valid X-Request-Id over", { "x-request-id": "order-7.A_b" }, /^order-7\.A_b$/),
  identified("takes the trace id of a traceparent over", { traceparent }, /^4bf92f3577b34da6a3ce929d0e0e4736$/),
  identified("prefers a valid X-Request-Id to a traceparent", { "x-request-id": "mine", traceparent }, /^mine$/),
  identified("makes an id of its own without one", {}, uuid),
  identified("makes an id of its own in place of one that is too long", { "x-request-id": "a".repeat(129) }, uuid),
  identified("makes an id of its own in place of one with other characters", { "x-request-id": 'a"b c' }, uuid),
  identified("makes an id of its own in place of two", { "x-request-id": ["a", "b"] }, uuid),
  identified(
    "makes an id of its own in place of a traceparent of zeros",
    { traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01` },
    uuid,
  ),
  {
    title: "gives each request an id of its own",
    async check({ listen }) {
      const port = await listen({ routes: [] });
      const ids = await Promise.all(Array.from({ length: 5 }, () => request(port, { path: "/unknown" })));
      expect(new Set(ids.map((each) => header(each, "x-request-id"))).size).toBe(5);
    },
  },
  addressed("believes no X-Forwarded-For unless told to", { forwarded: "203.0.113.9", expected: "127.0.0.1" }),
  addressed("takes the entry of the last hop", {
    proxies: { hops: 1 },
    forwarded: "198.51.100.1, 203.0.113.9",
    expected: "203.0.113.9",
  }),
  addressed("takes the entry of the second hop from the right", {
    proxies: { hops: 2 },
    forwarded: "spoofed, 198.51.100.1, 203.0.113.9",
    expected: "198.51.100.1",
  }),
  addressed("takes the connection's address when there are fewer entries than hops", {
    proxies: { hops: 3 },
    forwarded: "203.0.113.9",
    expected: "127.0.0.1",
  }),
  addressed("takes the first entry from the right that is no trusted proxy", {
    proxies: { trusted: ["127.0.0.0/8", "10.0.0.0/8"] },
    forwarded: "198.51.100.1, 203.0.113.9, 10.1.2.3",
    expected: "203.0.113.9",
  }),
  addressed("believes nobody whose connection is not from a trusted proxy", {
    proxies: { trusted: ["10.0.0.0/8"] },
    forwarded: "203.0.113.9",
    expected: "127.0.0.1",
  }),
  addressed("gains a client nothing that writes garbage", {
    proxies: { hops: 1 },
    forwarded: "203.0.113.9, <script>",
    expected: "127.0.0.1",
  }),
  addressed("tells an IPv4 address that was mapped into IPv6 as IPv4", {
    proxies: { hops: 1 },
    forwarded: "::ffff:203.0.113.9",
    expected: "203.0.113.9",
  }),
  addressed("tells an IPv6 address in its one text", {
    proxies: { hops: 1 },
    forwarded: "2001:DB8:0:0:0:0:0:1",
    expected: "2001:db8::1",
  }),
  {
    title: "lets a client count as its /64, whichever of its addresses it takes",
    async check({ listen, probe }) {
      const watcher = probe();
      const port = await listen({ guards: [watcher.guard], routes: [hello], options: { proxies: { hops: 1 } } });
      for (const address of ["2001:db8:1:2::1", "2001:db8:1:2:ffff::7"]) {
        await request(port, { path: "/hello", headers: { "x-forwarded-for": address } });
      }
      const groups = watcher.requests.map(({ address }) => addressGroup(address ?? ""));
      expect(groups).toEqual(["2001:db8:1:2::/64", "2001:db8:1:2::/64"]);
    },
  },
];
