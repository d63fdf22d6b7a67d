import type { Answer, Ask, Change, LimitAnswer, TakeOptions } from "../store.ts";

/** What a decision across hash slots is made of. */
export interface SlotSteps {
  readonly takeOptions: TakeOptions;
  decide(asks: readonly Ask[], options: TakeOptions): Promise<Answer>;
  adjust(key: string, changes: readonly Change[]): Promise<unknown>;
}

/**
 * Decides about subjects in several hash slots, all or nothing: each slot's asks are spent in turn, the tightest limit
 * first, and given back when a later slot denies. One round trip per slot, two more on a denial.
 *
 * @param groups - The same asks, those of each slot together.
 * @throws the error of a step. What was spent before it is given back, as far as that can be done.
 */
export async function decideAcrossSlots(
  asks: readonly Ask[],
  groups: readonly (readonly Ask[])[],
  steps: SlotSteps,
): Promise<Answer> {
  const { takeOptions } = steps;
  const tightestFirst = groups.toSorted((one, other) => tightness(one) - tightness(other));
  const answers = new Map<Ask, LimitAnswer>();
  const reserved: Reserved[] = [];
  let atMs = 0;
  let blockedMs = 0;
  let denied = false;
  for (const group of tightestFirst) {
    const spend = takeOptions.spend && !denied;
    const answer = await orGiveBack(steps.decide(group, { ...takeOptions, spend }), reserved, steps);
    for (const [index, ask] of group.entries()) answers.set(ask, answer.limits[index] ?? nothing);
    atMs = Math.max(atMs, answer.atMs);
    blockedMs = Math.max(blockedMs, answer.blockedMs);
    denied ||= !answer.allowed;
    if (answer.allowed && spend) reserved.push({ asks: group, answer });
  }
  if (denied) await Promise.all(reserved.map((each) => giveBack(each, answers, steps)));
  const limits = asks.map((ask) => answers.get(ask) ?? nothing);
  return { allowed: !denied, atMs, blockedMs, limits };
}

/** A step whose failure leaves nothing reserved: a slot would be held for its whole lease. */
async function orGiveBack(step: Promise<Answer>, reserved: readonly Reserved[], steps: SlotSteps): Promise<Answer> {
  try {
    return await step;
  } catch (error) {
    // The failure to tell is the first one.
    await Promise.allSettled(reserved.map((each) => giveBack(each, new Map(), steps)));
    throw error;
  }
}

interface Reserved {
  readonly asks: readonly Ask[];
  readonly answer: Answer;
}

const nothing: LimitAnswer = { limit: 0, remaining: 0, waitMs: 0, nextMs: 0, stamp: 0 };

function tightness(asks: readonly Ask[]): number {
  return Math.min(...asks.map(({ limit }) => limit.limit / limit.perMs));
}

async function giveBack({ asks, answer }: Reserved, answers: Map<Ask, LimitAnswer>, steps: SlotSteps): Promise<void> {
  const booked = asks.map((ask, index) => ({ ask, given: answer.limits[index] ?? nothing }));
  const byKey = Map.groupBy(
    booked.filter(({ ask }) => ask.countDenied !== true),
    ({ ask }) => ask.key,
  );
  for (const { ask, given } of [...byKey.values()].flat()) {
    answers.set(ask, { ...given, remaining: given.remaining + ask.cost, nextMs: 0 });
  }
  await Promise.all(
    [...byKey].map(([key, spent]) =>
      steps.adjust(
        key,
        spent.map(({ ask: { limit, cost, token }, given: { stamp } }) => ({
          limit,
          delta: -cost,
          booked: cost,
          stamp,
          atMs: answer.atMs,
          token,
        })),
      ),
    ),
  );
}
