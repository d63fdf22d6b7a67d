import { describe, it, type TestOptions } from "vitest";

/** Vitest's `describe`, for a title and a body that a caller brings. */
export const declareSuite: (title: string, options: TestOptions, suite: () => void) => void = describe;

/** Vitest's `it`, for a title and assertions that a caller brings. */
export const declareTest: (title: string, check: () => Promise<void>) => void = it;
