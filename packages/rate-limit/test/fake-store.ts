import { memoryStore, type MaybePromise, type RateLimitStore } from "../src/index.ts";

/** A store that answers with a promise, as one across the network, and may fail; it counts what it is asked. */
export interface FakeStore extends RateLimitStore {
  /** Methods in the order of their calls. */
  readonly calls: string[];
  /** Set to an error to have every call fail. */
  failure: Error | undefined;
  /** Set to a key to have corrections of it fail. */
  failsFor: string | undefined;
  /** Set to have every call wait for it before it is done. */
  gate: Promise<void> | undefined;
  /** Set to have every answer wait for it after the work was done. */
  late: Promise<void> | undefined;
}

/** A store in memory behind something like a network. */
export function fakeStore(options: Parameters<typeof memoryStore>[0] = {}): FakeStore {
  const store = memoryStore(options);
  async function call<T>(name: string, work: () => MaybePromise<T>): Promise<T> {
    fake.calls.push(name);
    await fake.gate;
    if (fake.failure) throw fake.failure;
    const result = await work();
    await fake.late;
    return result;
  }
  const fake: FakeStore = {
    calls: [],
    failure: undefined,
    failsFor: undefined,
    gate: undefined,
    late: undefined,
    take: (asks, takeOptions) => call(takeOptions.spend ? "take" : "look", () => store.take(asks, takeOptions)),
    adjust: (key, changes) =>
      call("adjust", () => {
        if (key === fake.failsFor) throw new Error(`The store is away for ${key}.`);
        return store.adjust(key, changes);
      }),
    mark: (key, mark) => call("mark", () => store.mark(key, mark)),
    reset: (key, limits) => call("reset", () => store.reset(key, limits)),
    inspect: (key) => call("inspect", () => store.inspect(key)),
  };
  return fake;
}
