import { Agent } from "node:http";

import { sleep, type Clock, type Random } from "@sluice/core";

import type { Accepted, Buyer, Load, Tally } from "./load.ts";
import { attempt, type AttemptAnswer } from "./purchase.ts";

/** What a crowd runs on. */
export interface CrowdOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Hears of every buyer who is done. */
  readonly onAnswer: (answered: number) => void;
}

const mostTries = 5;
const longestPauseMs = 1000;
const loopback = new Set(["127.0.0.1", "[::1]", "localhost"]);

type Outcome = { readonly accepted: Accepted } | { readonly told: string };

/**
 * Lets everybody buy at once, over so many connections: who has none waits for one. A buyer whom the server asks to come
 * again, and one who gets no answer, sends the same purchase again, with the same key.
 *
 * @throws `TypeError` for a server that is not on this machine.
 */
export async function sendCrowd(load: Load, { clock, random, onAnswer }: CrowdOptions): Promise<Tally> {
  const url = new URL("/api/flash-buy", load.url);
  if (!loopback.has(url.hostname)) throw new TypeError(`Only servers on this machine are asked, not ${url.hostname}`);
  const agent = new Agent({ keepAlive: true, maxSockets: load.sockets });
  const over = new AbortController();
  const end = clock.schedule(load.withinMs, () => over.abort());
  const outcomes: Outcome[] = [];
  const waiting = load.buyers.values();
  const startedMs = clock.monotonic();
  let repeats = 0;

  async function purchase(buyer: Buyer): Promise<Outcome> {
    const key = Buffer.from(random.bytes(16)).toString("hex");
    const sentMs = clock.monotonic();
    for (let tries = 1; ; tries += 1) {
      const answer = await once({ url, agent, buyer, key, productId: load.productId, signal: over.signal });
      if (over.signal.aborted && "failed" in answer) return { told: "no answer in time" };
      if (tries === mostTries || !isWorthRepeating(answer)) return outcomeOf(answer, clock.monotonic() - sentMs);
      repeats += 1;
      const pauseMs = "failed" in answer ? 50 : (answer.retryAfterMs ?? 50);
      await sleep(clock, Math.min(pauseMs, longestPauseMs), over.signal).catch(() => undefined);
    }
  }

  async function lane(): Promise<void> {
    for (const buyer of waiting) {
      outcomes.push(over.signal.aborted ? { told: "no answer in time" } : await purchase(buyer));
      onAnswer(outcomes.length);
    }
  }

  await Promise.all(Array.from({ length: Math.min(load.sockets, load.buyers.length) }, lane));
  end.cancel();
  agent.destroy();
  return { ...tallyOf(outcomes), repeats, elapsedMs: clock.monotonic() - startedMs };
}

type Answered = AttemptAnswer | { readonly failed: string };

async function once(purchase: Parameters<typeof attempt>[0]): Promise<Answered> {
  try {
    return await attempt(purchase);
  } catch (error) {
    return { failed: error instanceof Error && "code" in error ? String(error.code) : String(error) };
  }
}

function isWorthRepeating(answer: Answered): boolean {
  return "failed" in answer || answer.status === 503 || answer.status === 500;
}

function outcomeOf(answer: Answered, tookMs: number): Outcome {
  if ("failed" in answer) return { told: answer.failed };
  const { status, orderId, acceptMs } = answer;
  if (status === 202 && orderId !== undefined) return { accepted: { orderId, tookMs, acceptMs } };
  return { told: String(status) };
}

function tallyOf(outcomes: readonly Outcome[]): Pick<Tally, "accepted" | "refused" | "others"> {
  const accepted: Accepted[] = [];
  const told: Record<string, number> = {};
  for (const outcome of outcomes) {
    if ("accepted" in outcome) accepted.push(outcome.accepted);
    else told[outcome.told] = (told[outcome.told] ?? 0) + 1;
  }
  const { "409": refused = 0, ...others } = told;
  return { accepted, refused, others };
}
