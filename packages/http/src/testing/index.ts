export { guardLaws, type GuardLaw, type GuardLawContext, type GuardSubject } from "./guard-laws.ts";
export { testRequest, type TestRequestParts } from "./test-request.ts";
export { throughGuard, type TestHandler } from "./through-guard.ts";
