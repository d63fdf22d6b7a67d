import { cacheEvents } from "./events.ts";
import type { Loading, LoadingGround } from "./loading.ts";
import type { Found } from "./look.ts";
import type { Plan } from "./policy.ts";
import type { ReadRequest } from "./served.ts";
import type { StaleCopies } from "./stale-copies.ts";

/** What {@link Refreshes} need. */
export interface RefreshGround extends LoadingGround {
  /** Takes work that nobody waits for. It must not reject. */
  readonly aside: (work: Promise<unknown>) => void;
}

/** Reloads of what may be served meanwhile, in the background. One of a key at a time. */
export class Refreshes {
  readonly #ground: RefreshGround;
  readonly #loading: Loading;
  readonly #stale: StaleCopies;
  readonly #running = new Set<string>();

  constructor(ground: RefreshGround, { loading, stale }: { readonly loading: Loading; readonly stale: StaleCopies }) {
    this.#ground = ground;
    this.#loading = loading;
    this.#stale = stale;
  }

  /** Begins one, unless one of this key is running. */
  start(plan: Plan, request: ReadRequest, found: Found): void {
    if (this.#running.has(plan.key)) return;
    this.#running.add(plan.key);
    this.#ground.aside(this.#run(plan, request, found));
  }

  async #run(plan: Plan, request: ReadRequest, found: Found): Promise<void> {
    const { l1, policy } = this.#ground;
    const watch = l1?.again(found.watch);
    try {
      const claim = await this.#loading.claim(plan, { ...found, watch });
      if (claim.state === "granted") {
        await this.#loading.lead(claim.lead, request, { reason: "refresh", stale: undefined });
      }
    } catch (error) {
      cacheEvents.publish({ type: "refresh-failed", scope: policy.scope, error });
      this.#stale.rest(plan.key);
    } finally {
      l1?.unwatch(watch);
      this.#running.delete(plan.key);
    }
  }
}
