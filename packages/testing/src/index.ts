export { createFakeClock, type FakeClock, type FakeClockOptions } from "./fake-clock.ts";
export {
  checkLaw,
  LawBrokenError,
  type CheckLawOptions,
  type CreateSubject,
  type Law,
  type LawContext,
} from "./law.ts";
export { testSeed } from "./seed.ts";
