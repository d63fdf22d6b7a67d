import { AsyncLocalStorage } from "node:async_hooks";

import { NestedUseError } from "./errors.ts";

// Which single sessions the running code holds a transaction on. A list, because work may open one on each of several.
interface Scope {
  readonly session: object;
  readonly outer: Scope | undefined;
  // Code that outlives its transaction may use the session again, and waits for its turn like anybody.
  ended: boolean;
}

const scopes = new AsyncLocalStorage<Scope>();

/**
 * Refuses a call that would wait for the transaction it comes from. Only for databases with one session: there, the
 * call could start once the transaction has ended, and the transaction ends once the call has.
 *
 * @throws `ERR_SLUICE_NESTED_USE`
 */
export function assertOutside(session: object): void {
  for (let scope = scopes.getStore(); scope; scope = scope.outer) {
    if (scope.session === session && !scope.ended) {
      throw new NestedUseError(
        "Use the handle that the work was given: this database has one session, which is taken.",
      );
    }
  }
}

/** Runs `work` as the holder of the session, for {@link assertOutside}. */
export async function holding<T>(session: object, work: () => Promise<T>): Promise<T> {
  const scope: Scope = { session, outer: scopes.getStore(), ended: false };
  try {
    return await scopes.run(scope, work);
  } finally {
    scope.ended = true;
  }
}
