import { describeValue, seededRandom, SluiceError, type Random } from "@sluice/core";

import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { replayHint, testSeed } from "./seed.ts";

/** What a law may use besides its subject. Whoever creates the subject gets the same three. */
export interface LawContext {
  /** The subject's only source of time. */
  readonly clock: FakeClock;
  /** The only source of chance. It begins anew with every law, so a law replays alone as it ran among others. */
  readonly random: Random;
  /** What `random` was made from, for whoever draws in another way. */
  readonly seed: number;
}

/** A sentence that holds for every implementation of a port, and the check that tries to refute it. */
export interface Law<Subject> {
  /** Present tense, as a user would say it. */
  readonly title: string;
  /** Throws when the law does not hold. Needs no test framework: `node:assert` will do. */
  check(subject: Subject, context: LawContext): Promise<void> | void;
}

/**
 * Makes a fresh subject for one law. When the subject has `[Symbol.asyncDispose]` or `[Symbol.dispose]`, that is
 * called after the law.
 */
export type CreateSubject<Subject> = (context: LawContext) => Subject | Promise<Subject>;

/** How {@link checkLaw} runs a law. */
export interface CheckLawOptions {
  /** Default {@link testSeed}. */
  readonly seed?: number;
  /** First reading of the wall clock, in ms since the epoch. Default as {@link createFakeClock}. */
  readonly nowMs?: number;
}

/**
 * A law did not hold, or its subject could not be made or disposed of. The message is that of the `cause`, followed by
 * the law and the seed. The stack is that of the cause, and so are `actual`, `expected` and `operator`, from which
 * test runners draw their diff.
 */
export class LawBrokenError extends SluiceError {
  override readonly code = "ERR_SLUICE_LAW_BROKEN";
  /** The law that was broken. */
  readonly title: string;
  /** Gives the same chances again. */
  readonly seed: number;

  /** @param cause - What was thrown. */
  constructor(title: string, seed: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : `Thrown: ${describeValue(cause)}`;
    super(`${reason}\n\nLaw: ${title}\n${replayHint(seed)}`, { cause });
    this.title = title;
    this.seed = seed;
    if (!(cause instanceof Error)) return;
    this.stack = `${this.name}: ${this.message}\n${frames(cause)}`;
    for (const key of ["actual", "expected", "operator"]) {
      if (key in cause) Reflect.set(this, key, Reflect.get(cause, key));
    }
  }
}

/**
 * Checks one law on one fresh subject.
 *
 * @throws `ERR_SLUICE_LAW_BROKEN`, naming the law and the seed, for whatever fails: making the subject, the check, or
 *   disposing of the subject.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * import { checkLaw, type Law } from "@sluice/testing";
 *
 * const remembers: Law<Map<string, number>> = {
 *   title: "a key keeps its last value",
 *   check(map, { random }) {
 *     const value = random.integer(0, 100);
 *     map.set("key", value);
 *     assert.equal(map.get("key"), value);
 *   },
 * };
 * await checkLaw(remembers, () => new Map());
 * ```
 */
export async function checkLaw<Subject>(
  law: Law<Subject>,
  create: CreateSubject<Subject>,
  options: CheckLawOptions = {},
): Promise<void> {
  const { seed = testSeed(), nowMs } = options;
  const clock = createFakeClock(nowMs === undefined ? {} : { nowMs });
  const context: LawContext = { clock, random: seededRandom(seed), seed };
  try {
    const subject = await create(context);
    await checkAndDispose(law, subject, context);
  } catch (error) {
    throw new LawBrokenError(law.title, seed, error);
  }
}

async function checkAndDispose<Subject>(law: Law<Subject>, subject: Subject, context: LawContext): Promise<void> {
  try {
    await law.check(subject, context);
  } catch (error) {
    // The broken law is the news; that its subject then fails to close follows from it more often than not.
    await dispose(subject).catch(() => undefined);
    throw error;
  }
  await dispose(subject);
}

async function dispose(subject: unknown): Promise<void> {
  if ((typeof subject !== "object" && typeof subject !== "function") || subject === null) return;
  const disposable = subject as Partial<AsyncDisposable & Disposable>;
  await disposable[Symbol.asyncDispose]?.();
  if (!disposable[Symbol.asyncDispose]) disposable[Symbol.dispose]?.();
}

function frames({ stack = "" }: Error): string {
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
}
