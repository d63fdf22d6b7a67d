import { AsyncLocalStorage } from "node:async_hooks";

import { ROOT_CONTEXT, type Context, type ContextManager } from "@opentelemetry/api";

abstract class TestContextManager implements ContextManager {
  protected abstract readonly storage: AsyncLocalStorage<Context>;
  active(): Context {
    return this.storage.getStore() ?? ROOT_CONTEXT;
  }
  with<F extends (...args: never[]) => unknown>(within: Context, work: F, ...call: unknown[]): ReturnType<F> {
    const [thisArg, ...args] = call;
    return this.storage.run(within, () => Reflect.apply(work, thisArg, args) as ReturnType<F>);
  }
  bind<T>(_within: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    this.storage.disable();
    return this;
  }
}

/** A context manager as the SDK has had it for years: it cannot attach. */
export class StorageContextManager extends TestContextManager {
  readonly ["_asyncLocalStorage"] = new AsyncLocalStorage<Context>();
  protected override readonly storage = this["_asyncLocalStorage"];
}

/** A context manager that can attach, and whose storage is its own affair. */
export class AttachingContextManager extends TestContextManager {
  protected override readonly storage = new AsyncLocalStorage<Context>();
  attach(within: Context): { dispose(): void } {
    const scope = this.storage.withScope(within);
    return { dispose: () => scope[Symbol.dispose]() };
  }
}

/** A context manager that puts a context of its own around every other, and whose contexts must be left in order. */
export class WrappingContextManager extends AttachingContextManager {
  /** Contexts that were attached and not left. */
  attached = 0;
  override attach(within: Context): { dispose(): void } {
    this.attached += 1;
    const token = super.attach(within.setValue(Symbol.for("test.wrapped"), true));
    return {
      dispose: () => {
        this.attached -= 1;
        token.dispose();
      },
    };
  }
}
