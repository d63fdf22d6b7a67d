import { once, EventEmitter } from "node:events";

import type { HttpGuard, HttpRequest, Outcome, PassVerdict, Settlement, Verdict } from "@sluice/http";

/** What a probe does besides watching. */
export interface ProbeOptions {
  readonly name?: string;
  readonly stage?: HttpGuard["stage"];
  readonly reply?: HttpGuard["needs"]["reply"];
  readonly requestBody?: boolean;
  readonly headers?: PassVerdict["headers"];
  readonly context?: PassVerdict["context"];
  /** In place of passing. */
  readonly before?: (request: HttpRequest) => Verdict | undefined | Promise<Verdict | undefined>;
  readonly settle?: (outcome: Outcome) => Settlement | undefined | Promise<Settlement | undefined>;
}

/** A guard that remembers what it was told. */
export interface Probe {
  readonly guard: HttpGuard;
  /** Requests that it has decided about, in order. */
  readonly requests: readonly HttpRequest[];
  /** How the requests that it let pass have ended, in order. */
  readonly outcomes: readonly Outcome[];
  readonly passed: number;
  /** The first request, once it has come. */
  readonly asked: () => Promise<HttpRequest>;
  /** The outcome of the first request, once there is one. */
  readonly outcome: () => Promise<Outcome>;
  /** Resolves when there are `count` outcomes. */
  readonly settled: (count: number) => Promise<void>;
}

/** Makes a {@link Probe} that passes unless told otherwise. */
export function createProbe(options: ProbeOptions = {}): Probe {
  const { name = "probe", stage = "address", reply = "nothing", requestBody = false } = options;
  const requests: HttpRequest[] = [];
  const outcomes: Outcome[] = [];
  const changes = new EventEmitter();
  let passed = 0;

  function pass(): PassVerdict {
    passed += 1;
    return {
      pass: true,
      ...(options.headers && { headers: options.headers }),
      ...(options.context && { context: options.context }),
      settle: (outcome) => {
        outcomes.push(outcome);
        changes.emit("change");
        return options.settle?.(outcome);
      },
    };
  }

  async function reached(list: readonly unknown[], count: number): Promise<void> {
    while (list.length < count) await once(changes, "change");
  }

  async function settled(count: number): Promise<void> {
    await reached(outcomes, count);
  }

  return {
    guard: {
      name,
      stage,
      needs: { requestBody, reply },
      before(request) {
        requests.push(request);
        changes.emit("change");
        const verdict = options.before?.(request);
        return verdict instanceof Promise ? verdict.then((known) => known ?? pass()) : (verdict ?? pass());
      },
    },
    requests,
    outcomes,
    settled,
    get passed() {
      return passed;
    },
    async asked() {
      await reached(requests, 1);
      return first(requests);
    },
    async outcome() {
      await settled(1);
      return first(outcomes);
    },
  };
}

function first<T>(list: readonly T[]): T {
  const [value] = list;
  if (value === undefined) throw new Error("There is none.");
  return value;
}
