import { InvalidArgumentError } from "@sluice/core";

const lanes = 2;
const perLane = 128;

/** How one of many is read. */
export interface ReadEach<Params, Asked, Value> {
  /** Makes what is asked for; throws for parameters that make no key. */
  readonly ask: (params: Params) => Asked;
  readonly read: (asked: Asked) => Promise<Value>;
}

/**
 * Reads many values, in order. Not all at once: a store that is asked for thousands in one turn of the event loop does
 * not answer the last of them within its deadline, and they would be loaded every time. Up to 256 are one turn.
 */
export async function readMany<Params, Asked, Value>(
  all: readonly Params[],
  { ask, read }: ReadEach<Params, Asked, Value>,
): Promise<Value[]> {
  if (!Array.isArray(all)) throw new InvalidArgumentError("params", "an array", all);
  // All of them first: one that has no key is no reason to load the others.
  const wanted = all.map(ask);
  if (wanted.length <= lanes * perLane) return Promise.all(wanted.map(read));
  const values: Value[] = [];
  const state = { next: 0, isOver: false };
  const lane = async (): Promise<void> => {
    while (state.next < wanted.length && !state.isOver) {
      const from = state.next;
      state.next += perLane;
      const slice = await Promise.all(wanted.slice(from, state.next).map(read));
      for (const [index, value] of slice.entries()) values[from + index] = value;
    }
  };
  try {
    await Promise.all(Array.from({ length: lanes }, lane));
    return values;
  } finally {
    // One has failed: nobody waits for the others any more.
    state.isOver = true;
  }
}
