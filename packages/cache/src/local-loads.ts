import type { Served } from "./served.ts";
import type { Claimed } from "./store.ts";

/** A load of this process that has the lease of its key. */
export interface LocalLoad {
  readonly holder: string;
  readonly stamps: string;
  readonly outcome: Promise<Served>;
  /** Lets it begin, if who asks holds the place that it waits for. */
  readonly hasten: () => void;
}

/** The loads of this process that others may share. */
export class LocalLoads {
  readonly #byKey = new Map<string, LocalLoad>();

  /** Offers a load to others until it has ended and been stored. */
  offer(key: string, load: LocalLoad): void {
    this.#byKey.set(key, load);
    const end = (): void => {
      // A newer one may have taken the lease over.
      if (this.#byKey.get(key) === load) this.#byKey.delete(key);
    };
    load.outcome.then(end, end);
  }

  /**
   * The load that has the lease, if it stands on the same generations. Both matter: the lease was there after the
   * caller began, so no drop lies between; the stamps are those that the caller has read, so no flush does.
   */
  shareable(key: string, claimed: Claimed, stamps: string): LocalLoad | undefined {
    const load = this.#byKey.get(key);
    const hasLease = claimed.state === "held" && claimed.holder === load?.holder;
    return hasLease && load?.stamps === stamps ? load : undefined;
  }
}
