import { createFakeClock, type FakeClock } from "@sluice/testing";
import { onTestFinished } from "vitest";

import { lockEvents, memoryStore, type LockEvent, type LockStore } from "../src/index.ts";

/** A memory store whose answers a test decides, one method at a time. */
export interface Scripted extends LockStore {
  /** The calls so far, by name. */
  readonly calls: string[];
  /** From now on, calls of this method answer so. Undefined: as the store does. */
  answer(method: "acquire" | "extend" | "release", how: (() => Promise<never>) | undefined): void;
}

export function scripted(clock: FakeClock): Scripted {
  const store = memoryStore({ clock });
  const overridden = new Map<string, () => Promise<never>>();
  const calls: string[] = [];
  const asked = <T>(name: string, call: () => Promise<T>): Promise<T> => {
    calls.push(name);
    return overridden.get(name)?.() ?? call();
  };
  return {
    calls,
    answer(method, how) {
      if (how) overridden.set(method, how);
      else overridden.delete(method);
    },
    acquire: (request) => asked("acquire", () => store.acquire(request)),
    extend: (request) => asked("extend", () => store.extend(request)),
    release: (owner) => asked("release", () => store.release(owner)),
    watch: (keys, sinceMs, onFree) => store.watch?.(keys, sinceMs, onFree) ?? { close: () => undefined },
  };
}

export const down = (): Promise<never> => Promise.reject(new Error("connect ECONNREFUSED"));
export const hang = (): Promise<never> => new Promise(() => {});

/** What `sluice:lock` tells during this test. */
export function heard(): LockEvent[] {
  const events: LockEvent[] = [];
  onTestFinished(lockEvents.subscribe((event) => events.push(event)));
  return events;
}

/** A clock, and a store that reads it. */
export function fixture(): { readonly clock: FakeClock; readonly store: Scripted; readonly events: LockEvent[] } {
  const clock = createFakeClock();
  return { clock, store: scripted(clock), events: heard() };
}

/** Settles what can settle without time passing. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** The code of the error that a promise rejects with. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([work]);
  if (outcome.status === "fulfilled") return `fulfilled with ${String(outcome.value)}`;
  return (outcome.reason as { readonly code?: unknown }).code;
}
