import { InvalidArgumentError } from "@sluice/core";

import { Chain } from "./chain.ts";
import type { GuardNeeds, HttpGuard } from "./guard.ts";

/**
 * Guards as one guard. They decide in order and settle in reverse, each told of what the ones after it made of the
 * reply. When one of them replies, the guards before it settle as `replied` with that reply, and set their headers on
 * it; the guards after it never hear of the request. When one throws, those before it settle as `failed`.
 *
 * It needs what any of them needs. Of two values for one header, or for one member of the context, the later guard's
 * stands. A guard that needs nothing of the reply is not waited for, and hears of a stream when that has ended.
 *
 * @param list - Guards of one stage, in the order in which they decide.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an empty list, and for guards of two stages.
 * @example
 * ```ts
 * import { guards, type HttpGuard } from "@sluice/http";
 *
 * const needs = { requestBody: false, reply: "nothing" } as const;
 * const first: HttpGuard = { name: "first", stage: "address", needs, before: () => ({ pass: true }) };
 * const second: HttpGuard = { ...first, name: "second" };
 * guards([first, second]).name; // => "first+second"
 * ```
 */
export function guards(list: readonly HttpGuard[]): HttpGuard {
  const [first, ...others] = list;
  if (!first) throw new InvalidArgumentError("guards", "a list of one guard or more", list);
  if (others.length === 0) return first;
  const stranger = others.find(({ stage }) => stage !== first.stage);
  if (stranger) {
    const expected = `guards of one stage: ${first.name} is of the stage ${first.stage}, mount ${stranger.name} by itself`;
    throw new InvalidArgumentError("guards", expected, stranger.stage);
  }
  const parts = [...list];
  return {
    name: parts.map(({ name }) => name).join("+"),
    stage: first.stage,
    needs: union(parts.map(({ needs }) => needs)),
    before: (request) => new Chain(parts, request).advance(),
  };
}

const amounts = ["nothing", "head", "body"] as const;

function union(all: readonly GuardNeeds[]): GuardNeeds {
  return {
    requestBody: all.some(({ requestBody }) => requestBody),
    reply: amounts.findLast((amount) => all.some(({ reply }) => reply === amount)) ?? "nothing",
  };
}
