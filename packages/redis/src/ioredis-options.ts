import type { IoredisClient } from "./ioredis-driver.ts";

type Options = Readonly<Record<string, unknown>>;

interface Danger {
  readonly applies: (options: Options, cluster: boolean) => boolean;
  readonly warning: string;
}

const dangers: readonly Danger[] = [
  {
    applies: (options, cluster) => !cluster && options["autoResendUnfulfilledCommands"] !== false,
    warning: "autoResendUnfulfilledCommands is on: after a reconnect a command may run twice. Set it to false.",
  },
  {
    applies: (options, cluster) => cluster && Number(options["retryDelayOnFailover"]) > 0,
    warning: "retryDelayOnFailover is above 0: after a lost connection a command may run twice. Set it to 0.",
  },
  {
    applies: ({ enableOfflineQueue }) => enableOfflineQueue !== false,
    warning: "enableOfflineQueue is on: other users of this client wait while Redis is away. Set it to false.",
  },
  {
    applies: ({ maxRetriesPerRequest: retries }, cluster) => !cluster && !(typeof retries === "number" && retries <= 1),
    warning: "maxRetriesPerRequest is above 1: a call may stay in the client for a minute. Set it to 0.",
  },
  {
    applies: ({ socketTimeout }) => !(Number(socketTimeout) > 0),
    warning: "socketTimeout is not set: the client may stay on a hung server for good. Set it to 1500.",
  },
  {
    applies: ({ sentinels, failoverDetector }) => Array.isArray(sentinels) && failoverDetector !== true,
    warning: "failoverDetector is off: the client may stay on a master that was replaced. Set it to true.",
  },
  {
    applies: ({ reconnectOnError }, cluster) => !cluster && typeof reconnectOnError !== "function",
    warning: "reconnectOnError is not set: the client stays on a master that became a replica. Reconnect on READONLY.",
  },
  {
    applies: ({ keyPrefix }) => keyPrefix !== undefined && keyPrefix !== "",
    warning: "keyPrefix is set: it is not applied to channels nor to SCAN, and it can move keys to other hash slots.",
  },
  {
    applies: ({ scaleReads }, cluster) => cluster && scaleReads !== "master",
    warning: "scaleReads is not master: reads may miss what was written just before. Set it to master.",
  },
];

/** What is dangerous about a client's options, a sentence each. */
export function warningsAboutIoredis(client: IoredisClient): string[] {
  const cluster = "isCluster" in client && client.isCluster === true;
  const own = client.options as Options;
  const options = cluster ? { ...(own["redisOptions"] as Options | undefined), ...own } : own;
  return dangers.filter(({ applies }) => applies(options, cluster)).map(({ warning }) => warning);
}
