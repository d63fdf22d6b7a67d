import type { Clock } from "@sluice/core";
import pg from "pg";

/** What a {@link WatchedClient} is held to. */
export interface ClientWatch {
  readonly clock: Clock;
  /** From the first packet to the end of authentication. */
  readonly connectTimeoutMs: number;
  /** Every client from its creation to the end of its socket. */
  readonly clients: Set<WatchedClient>;
}

/** A client of `pg` whose socket can be ended at once, whatever the server does. */
export class WatchedClient extends pg.Client {
  /** Why it was destroyed. */
  doom: Error | undefined;

  constructor(config: pg.ClientConfig | undefined, { clock, connectTimeoutMs, clients }: ClientWatch) {
    super(config);
    // A URL without a password hides the function that gives one.
    if (!this.password && config?.password) Object.assign(this, { password: config.password });
    clients.add(this);
    // Without a listener an "error" event ends the process, and there are moments when nobody else listens.
    this.on("error", ignore);
    const timer = clock.schedule(connectTimeoutMs, () => {
      this.destroy(new Error(`No connection within ${connectTimeoutMs} ms`));
    });
    this.once("connect", () => timer.cancel());
    this.once("end", () => {
      timer.cancel();
      clients.delete(this);
    });
  }

  /** Ends the socket without a goodbye, which a frozen server would never hear. */
  destroy(reason: Error): void {
    this.doom ??= reason;
    this.connection.stream.destroy(reason);
  }
}

function ignore(): void {}
