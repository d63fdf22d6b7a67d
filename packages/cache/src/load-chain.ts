import { AsyncLocalStorage } from "node:async_hooks";

/** A load that runs, as the code in it finds it. */
export interface RunningLoad {
  /** What it has a place in. */
  readonly bulkhead: object;
  /** Its name at the store, if it has a lease. */
  readonly holder: string | undefined;
  /** Aborted when nobody waits for it any more, although it may still run. */
  readonly signal: AbortSignal;
}

interface Link extends RunningLoad {
  readonly outer: Link | undefined;
  readonly depth: number;
  /** What a load has begun and not waited for is not part of it any more. */
  isOver: boolean;
}

const present = new AsyncLocalStorage<Link>();

/** Runs the work of a load: what it reads in turn is known to be part of it. */
export async function runAsPart<T>(load: RunningLoad, work: () => Promise<T>): Promise<T> {
  const outer = innermost();
  const link: Link = { ...load, outer, depth: (outer?.depth ?? 0) + 1, isOver: false };
  try {
    return await present.run(link, work);
  } finally {
    link.isOver = true;
  }
}

/** The load that this code is part of, in any cache; undefined for none. */
export function currentLoad(): RunningLoad | undefined {
  return innermost();
}

/** How many loads this code is part of. */
export function loadDepth(): number {
  return innermost()?.depth ?? 0;
}

/** Whether this code is part of a load of which this is true. */
export function isPartOf(isIt: (load: RunningLoad) => boolean): boolean {
  for (let link = innermost(); link; link = link.outer) if (isIt(link)) return true;
  return false;
}

function innermost(): Link | undefined {
  let link = present.getStore();
  while (link?.isOver || link?.signal.aborted) link = link.outer;
  return link;
}
