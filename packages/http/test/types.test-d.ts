import { HttpError, type GuardContext, type HttpErrorInit, type HttpGuard, type Outcome } from "@sluice/http";
import { guardLaws } from "@sluice/http/testing";
import type { Law } from "@sluice/testing";
import { describe, expectTypeOf, it } from "vitest";

declare module "@sluice/http" {
  interface GuardContext {
    readonly typedQuota: number;
  }
}

const needs = { requestBody: false, reply: "nothing" } as const;

describe("types of http", () => {
  it("let a guard reply or pass, and nothing else", () => {
    const guard: HttpGuard = { name: "a", stage: "address", needs, before: () => ({ pass: true }) };
    expectTypeOf<Parameters<HttpGuard["before"]>[0]>().toHaveProperty("address");
    // @ts-expect-error A verdict is a reply or a pass.
    const undecided: HttpGuard = { ...guard, before: () => ({}) };
    // @ts-expect-error There are two stages.
    const late: HttpGuard = { ...guard, stage: "later" };
    expectTypeOf([undecided, late]).toExtend<HttpGuard[]>();
  });

  it("give the body where a reply may have one", () => {
    expectTypeOf<Extract<Outcome, { kind: "replied" }>["body"]>().toEqualTypeOf<Uint8Array | undefined>();
    expectTypeOf<Extract<Outcome, { ended: unknown }>["ended"]>().toEqualTypeOf<Promise<Outcome>>();
    expectTypeOf<Extract<Outcome, { kind: "aborted" }>>().not.toHaveProperty("head");
  });

  it("let packages declare what their guards tell", () => {
    expectTypeOf<GuardContext["typedQuota"]>().toEqualTypeOf<number>();
    const guard: HttpGuard = {
      name: "a",
      stage: "address",
      needs,
      // @ts-expect-error A quota is a number.
      before: () => ({ pass: true, context: { typedQuota: "3" } }),
    };
    expectTypeOf(guard).toExtend<HttpGuard>();
  });

  it("have laws that the runner of laws takes", () => {
    expectTypeOf(guardLaws).toExtend<readonly Law<{ guard: HttpGuard }>[]>();
  });

  it("let no error go without a status and a code", () => {
    expectTypeOf<HttpErrorInit>().toHaveProperty("status");
    // @ts-expect-error An error has a code.
    expectTypeOf(new HttpError({ status: 404 })).toExtend<Error>();
  });
});
