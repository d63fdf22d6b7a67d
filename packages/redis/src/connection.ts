import { InvalidArgumentError, systemClock, type Clock } from "@sluice/core";

import { checkArgumentList, checkedArgument, checkLists } from "./arguments.ts";
import { Calls, type Request } from "./calls.ts";
import { offerDirect, type Execution, type RunDirect } from "./direct.ts";
import type { RedisDriver } from "./driver.ts";
import { redisEvents } from "./events.ts";
import type { Argument, CallOptions, ReadCommand, RedisConnection, Reply, Script } from "./port.ts";
import { keysOfRead } from "./reads.ts";
import { scanServers } from "./scan.ts";
import { commonSlot, slotOf } from "./slot.ts";
import { Subscriptions } from "./subscriptions.ts";

/** How Sluice uses a connection, whatever client is beneath. */
export interface RedisOptions {
  /** Longest wait of a call for its answer in ms, from 1 to 10 000. Default 250. */
  readonly deadlineMs?: number;
  /** What the connection is for; names it on the server, `sluice:<role>`, and in events. Default `"app"`. */
  readonly role?: string;
  /** Calls without an answer in a row that make Sluice stop asking. Default 3. */
  readonly outageAfter?: number;
  /** Time between probes during an outage in ms. Default 1000. */
  readonly probeMs?: number;
  /** A subscription that hears nothing for this long asks the server, and waits as long for the answer. Default 500. */
  readonly heartbeatMs?: number;
  /** Calls that may wait for an answer at once. Default 10 000. */
  readonly maxOutstanding?: number;
  /** Default: the clock of this machine. */
  readonly clock?: Clock;
}

const longestDeadlineMs = 10_000;
const usual: CallOptions = {};

/**
 * A connection with Sluice's guarantees over any client: every call settles by its deadline, says whether it was
 * applied, and costs next to nothing during an outage.
 *
 * Use `connectRedis`, `fromIoredis` or `fromNodeRedis` unless you bring a client of another kind.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 */
export function createRedis(driver: RedisDriver, options: RedisOptions = {}): RedisConnection {
  const { clock, role, deadlineMs, heartbeatMs, outageAfter, probeMs, maxOutstanding } = checked(options);
  for (const warning of driver.warnings) {
    redisEvents.publish({ type: "client-warning", client: driver.client, warning });
  }
  const breaker = { failures: outageAfter, probeMs };
  const calls = new Calls({ driver, clock, role, deadlineMs, maxOutstanding, breaker });
  const subscriptions = new Subscriptions({ driver, clock, role, deadlineMs, heartbeatMs });
  const connected = { driver, calls };

  let closing: Promise<void> | undefined;
  async function end(): Promise<void> {
    await Promise.all([calls.drain(), subscriptions.close()]);
    await driver.close();
  }
  // Whoever closes again, as a signal's handler and `await using` may both, waits for the same end.
  const close = (): Promise<void> => (closing ??= end());

  const connection: RedisConnection = {
    resends: driver.resends,
    sharded: driver.sharded,
    warnings: driver.warnings,
    shardOf: (slot) => driver.shardOf(slot),
    run: (script, entry, call = usual) => promised(() => calls.call(requestOf(driver, { script, entry, call }))),
    read: (command, args, call = usual) => promised(() => readCommand(connected, { command, args, call })),
    subscribe: (channel, onMessage, onDoubt) => subscriptions.subscribe(channel, { onMessage, onDoubt }),
    close,
    [Symbol.asyncDispose]: close,
  };
  offerDirect(connection, { run: runDirectly(connected), together: driver.together });
  return connection;
}

const defaults = {
  clock: systemClock,
  role: "app",
  deadlineMs: 250,
  outageAfter: 3,
  probeMs: 1000,
  heartbeatMs: 500,
  maxOutstanding: 10_000,
} satisfies RedisOptions;

function checked(options: RedisOptions): Required<RedisOptions> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const all = { ...defaults, ...Object.fromEntries(given) } as Required<RedisOptions>;
  roleOf(all);
  checkedDeadline(all.deadlineMs);
  for (const name of ["outageAfter", "probeMs", "heartbeatMs", "maxOutstanding"] as const) {
    const value = all[name];
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new InvalidArgumentError(name, "a whole number, at least 1", value);
  }
  return all;
}

/**
 * What a connection is for. A server refuses spaces in the name of a connection, and then the connection.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the option.
 * @internal
 */
export function roleOf({ role = defaults.role }: RedisOptions): string {
  if (/^[\w.:-]{1,64}$/.test(role)) return role;
  throw new InvalidArgumentError("role", "1 to 64 letters, digits, and any of _ . : -", role);
}

interface Connected {
  readonly driver: RedisDriver;
  readonly calls: Calls;
}

/** A refusal before sending reaches the caller like any other: as a rejection. */
function promised<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}

function runDirectly({ driver, calls }: Connected): RunDirect {
  return (execution) => {
    try {
      calls.start(requestOf(driver, execution), execution);
    } catch (error) {
      execution.reject(error as Error);
    }
  };
}

function requestOf(driver: RedisDriver, { script, entry: { keys, args }, call }: Execution): Request {
  checkLists(script, keys, args);
  if (keys.length > 1 && (driver.sharded || call.acrossSlots !== true)) commonSlot(keys);
  return {
    name: "EVALSHA",
    args: argsOf(script, keys, args),
    bytes: call.bytes === true,
    server: undefined,
    source: script.source,
    writes: true,
    shard: shardOf(driver, keys),
    deadlineMs: limitOf(call),
  };
}

function argsOf({ sha1 }: Script, keys: readonly string[], args: readonly Argument[]): Argument[] {
  const all: Argument[] = [sha1, keys.length];
  // Half the time of spreading them, and every call pays for it.
  for (const key of keys) all.push(key);
  for (const argument of args) all.push(checkedArgument(argument));
  return all;
}

interface Read {
  readonly command: ReadCommand;
  readonly args: readonly Argument[];
  readonly call: CallOptions;
}

function readCommand({ driver, calls }: Connected, { command, args, call }: Read): Promise<Reply> {
  checkArgumentList(args);
  const keys = keysOfRead(command, args);
  for (const argument of args) checkedArgument(argument);
  if (driver.sharded) commonSlot(keys);
  const deadlineMs = limitOf(call);
  const send = (sent: readonly Argument[], server?: string): Promise<Reply> =>
    calls.call({
      name: command,
      args: sent,
      bytes: call.bytes === true,
      server,
      source: undefined,
      writes: false,
      shard: server ?? shardOf(driver, keys),
      deadlineMs,
    });
  if (command !== "SCAN" || !driver.sharded) return send(args);
  return connectedServers({ driver, calls }, call).then((servers) => scanServers(servers, args, send));
}

/** The masters of a Cluster. They are known once there is a connection, which the first call makes. */
async function connectedServers(connected: Connected, call: CallOptions): Promise<readonly string[]> {
  const { driver } = connected;
  if (driver.servers().length === 0) await readCommand(connected, { command: "PING", args: [], call });
  return driver.servers();
}

function shardOf(driver: RedisDriver, keys: readonly string[]): string {
  return driver.sharded && keys[0] !== undefined ? driver.shardOf(slotOf(keys[0])) : "";
}

function limitOf({ deadlineMs }: CallOptions): number | undefined {
  return deadlineMs === undefined ? undefined : checkedDeadline(deadlineMs);
}

function checkedDeadline(ms: number): number {
  if (typeof ms === "number" && ms >= 1 && ms <= longestDeadlineMs) return ms;
  throw new InvalidArgumentError("deadlineMs", `from 1 to ${longestDeadlineMs}`, ms);
}
