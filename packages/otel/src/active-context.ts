import { AsyncLocalStorage } from "node:async_hooks";

import { context, trace, type Context } from "@opentelemetry/api";

/** What the work of an operation runs in. */
export interface Activation {
  /** Absent leaves the context as it is. */
  readonly within?: Context;
}

/**
 * Lets `node:diagnostics_channel` run work inside a context of OpenTelemetry. A channel enters the stores bound to it
 * through `run` or, in newer releases of Node, through `withScope`; this store hands both on to the context manager
 * that the application has registered. Neither ever fails the work.
 */
export class ActiveContext extends AsyncLocalStorage<Activation> {
  override run<Result, Arguments extends unknown[]>(
    { within }: Activation,
    work: (...args: Arguments) => Result,
    ...args: Arguments
  ): Result {
    if (!within) return work(...args);
    let outcome: { readonly result: Result } | { readonly error: unknown } | undefined;
    const once = (): void => {
      try {
        outcome = { result: work(...args) };
      } catch (error) {
        outcome = { error };
      }
    };
    try {
      context.with(within, once);
    } catch {
      // Only the context manager can have thrown.
    }
    if (!outcome) return work(...args);
    if ("error" in outcome) throw outcome.error;
    return outcome.result;
  }

  override withScope({ within }: Activation): ReturnType<AsyncLocalStorage<Activation>["withScope"]> {
    const leave = within && enter(within);
    const dispose = (): void => {
      try {
        leave?.();
      } catch {
        // A context manager that cannot leave a context must not fail the work that ran in it.
      }
    };
    return { dispose, [Symbol.dispose]: dispose };
  }
}

function enter(within: Context): (() => void) | undefined {
  try {
    const token = context.attach?.(within);
    // A manager may put a context of its own around ours: what counts is the span.
    if (token && trace.getSpan(context.active()) === trace.getSpan(within)) return () => token.dispose();
    token?.dispose();
    const scope = storageOf(context)?.withScope(within);
    return scope && (() => scope[Symbol.dispose]());
  } catch {
    return undefined;
  }
}

// A manager from before the API had `attach` is entered through its storage. That is private, and known by this name to
// other instrumentations too; without it, spans inside the work would lack their parent.
function storageOf(api: object): AsyncLocalStorage<Context> | undefined {
  const managerOf: unknown = Reflect.get(api, "_getContextManager");
  const manager: unknown = typeof managerOf === "function" ? managerOf.call(api) : undefined;
  const storage: unknown =
    typeof manager === "object" && manager ? Reflect.get(manager, "_asyncLocalStorage") : undefined;
  return storage instanceof AsyncLocalStorage ? storage : undefined;
}
