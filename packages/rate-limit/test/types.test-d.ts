import type { GuardContext } from "@sluice/http";
import type { Law } from "@sluice/testing";
import { expectTypeOf, it } from "vitest";

import { rateLimitGuard } from "../src/http.ts";
import {
  byUser,
  createRateLimiter,
  window,
  type Decision,
  type NamedLimit,
  type RateLimitStore,
} from "../src/index.ts";
import { storeLaws } from "../src/laws/index.ts";

const limiter = createRateLimiter({
  policies: { browse: window({ limit: 1, per: "1m" }), write: [window({ name: "a", limit: 1, per: 1 })] },
});

it("knows the names of its policies", () => {
  expectTypeOf<Parameters<typeof limiter.consume>[0]>().toEqualTypeOf<"browse" | "write">();
  expectTypeOf(limiter.policies.browse).toEqualTypeOf<readonly NamedLimit[]>();
  // @ts-expect-error -- there is no such policy
  void limiter.consume("brows", byUser("42"));
  // @ts-expect-error -- a subject is made by byUser() and its siblings
  void limiter.consume("browse", "42");
  // @ts-expect-error -- a duration has a unit
  window({ limit: 1, per: "60" });
  rateLimitGuard({ limiter, stage: "address", policy: "browse" });
  // @ts-expect-error -- there is no such policy
  rateLimitGuard({ limiter, stage: "address", policy: "brows" });
});

it("gives handlers its decision", () => {
  expectTypeOf<GuardContext["rateLimit"]>().toEqualTypeOf<Decision>();
});

it("has laws that the runner takes", () => {
  expectTypeOf(storeLaws).toExtend<readonly Law<RateLimitStore>[]>();
});
