import { eventChannel, type EventChannel } from "@sluice/core";

import type { Doubt } from "./port.ts";

/** What happens to connections, on the channel `sluice:redis`. */
export type RedisEvent =
  /** A client that the user brought has dangerous options. Once per port and warning. */
  | { readonly type: "client-warning"; readonly client: string; readonly warning: string }
  /** Calls are refused without being sent, except for probes. `shard` is empty outside of a Cluster. */
  | { readonly type: "breaker-opened"; readonly role: string; readonly shard: string }
  /** Calls are sent again. */
  | { readonly type: "breaker-closed"; readonly role: string; readonly shard: string }
  /** The connection is ready for commands. */
  | { readonly type: "connection-ready"; readonly role: string }
  /** The connection ended, or could not be made. */
  | { readonly type: "connection-lost"; readonly role: string; readonly detail: string }
  /** A subscription may have missed messages. */
  | { readonly type: "subscription-doubt"; readonly role: string; readonly channel: string; readonly doubt: Doubt }
  /** A compensation failed; what it was to undo ends by its own expiry. */
  | { readonly type: "compensation-failed"; readonly script: string; readonly error: unknown };

/** The events of this package. */
export const redisEvents: EventChannel<RedisEvent> = eventChannel<RedisEvent>("sluice:redis");
