import type { SubscriberLink, SubscriberListener } from "./driver.ts";
import type { IoredisClient } from "./ioredis-driver.ts";
import { outliveSockets } from "./ioredis-sockets.ts";

/** What ioredis' `Redis` has and `Cluster` has not. */
export interface IoredisLinkClient extends IoredisClient {
  duplicate(override: object): IoredisLinkClient;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...facts: never[]) => void): unknown;
}

/** How a link is opened. */
export interface IoredisLinkOptions {
  readonly listener: SubscriberListener;
  readonly name: string;
}

/** Opens a listening connection to where `source` connects to. It ends for good: Sluice opens the next one. */
export async function openIoredisLink(
  source: IoredisLinkClient | undefined,
  { listener, name }: IoredisLinkOptions,
): Promise<SubscriberLink> {
  if (!source) throw new Error("no server of the Cluster is known yet");
  const link = source.duplicate({
    connectionName: name,
    lazyConnect: true,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    connectTimeout: 1000,
    commandTimeout: undefined,
    socketTimeout: undefined,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    reconnectOnError: null,
    readOnly: false,
    keyPrefix: undefined,
  });
  // Without a listener ioredis prints.
  link.on("error", () => {});
  outliveSockets(link);
  link.on("end", () => listener.closed());
  link.on("message", (channel: string, message: string) => listener.message(channel, message));
  await link.connect();
  return {
    subscribe: async (channel) => void (await link.subscribe(channel)),
    unsubscribe: async (channel) => void (await link.unsubscribe(channel)),
    ping: async () => void (await link.call("PING", [])),
    close: () => link.disconnect(),
  };
}
