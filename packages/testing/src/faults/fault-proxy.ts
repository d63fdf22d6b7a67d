import { connect, type Socket } from "node:net";

import { type Clock, InvalidArgumentError, type Random, systemClock, systemRandom } from "@sluice/core";

import { createConditions, type Condition, type Conditions } from "./conditions.ts";
import { FaultProxyClosedError } from "./errors.ts";
import { createExchange, type Doom } from "./exchange.ts";
import {
  blackholeCondition,
  halfOpenCondition,
  latencyCondition,
  sliceCondition,
  throttleCondition,
  type BlackholeOptions,
  type LatencyOptions,
  type OneWay,
  type SliceOptions,
  type ThrottleOptions,
} from "./fault-options.ts";
import { createLink, type Link } from "./link.ts";
import { createListener } from "./listener.ts";
import { createLosers, faultOf, type Fault, type LoseReplyOptions, type LostReplies } from "./lost-replies.ts";
import type { Protocol } from "./protocol.ts";
import { createTraffic, type Traffic } from "./traffic.ts";
import { createWatch } from "./watch.ts";

/** How {@link createFaultProxy} runs. */
export interface FaultProxyOptions {
  /** The server behind it. */
  readonly upstream: { readonly host: string; readonly port: number };
  /** Loopback port. Default: a free one. */
  readonly port?: number;
  /** How to tell requests and answers apart, for {@link FaultProxy.loseReplyAfter}. Default: it does not look. */
  readonly protocol?: Protocol;
  /** Times delays and bandwidth. Default: this machine's. */
  readonly clock?: Clock;
  /** Draws jitter. Default: this machine's. */
  readonly random?: Random;
}

/**
 * A TCP proxy on 127.0.0.1 whose faults are set and lifted while connections live. Faults add up: two latencies are
 * summed, of two limits the tighter one counts. A fault is on every connection, those that come later included.
 */
export interface FaultProxy extends AsyncDisposable {
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
  /** Connections from clients that are open at one end at least. */
  readonly connections: number;
  /** What has passed so far, as it is now. */
  traffic(): Traffic;
  /**
   * Waits for a condition on the traffic, instead of a guessed time. It is looked at after every change.
   *
   * @throws `ERR_SLUICE_FAULT_PROXY_CLOSED` when the proxy is closed first; `signal.reason` when that aborts.
   */
  until(holds: (traffic: Traffic) => boolean, signal?: AbortSignal): Promise<void>;
  /** The same URL with the proxy's host and port. */
  url(upstreamUrl: string): string;
  /** Delays bytes. What is under way when the fault is lifted arrives at once. */
  latency(options: LatencyOptions): Fault;
  /** Accepts bytes and delivers none of them, nor the end of a connection. The kernel still accepts connections. */
  blackhole(options?: BlackholeOptions): Fault;
  /** Limits the bandwidth of each connection. */
  throttle(options: ThrottleOptions): Fault;
  /** Delivers bytes in small pieces, each a write of its own. */
  slice(options: SliceOptions): Fault;
  /**
   * Tells neither side that the other has ended, as when a host loses its power: `direction: "requests"` hides the end
   * of clients from the server, `"replies"` the reverse. What the other side still sends leads nowhere. Lifting the
   * fault passes the ends on.
   */
  halfOpen(options?: OneWay): Fault;
  /** Ends every open connection by a TCP reset, at both ends. Returns how many there were. */
  reset(): number;
  /** Stops listening, so that the kernel refuses connections. Those that are open stay. Lifting it listens again. */
  refuse(): Promise<Fault>;
  /**
   * Lets a request through and loses exactly its answer: the work is done, and the client never hears of it. The
   * connection is then reset on the client's side, and the server's is closed. Answers to earlier requests arrive.
   *
   * Without a `protocol`, everything that a client sends between two answers counts as one request, and the first
   * bytes that come back as its whole answer: right for one request at a time with a short answer. With a `protocol`,
   * pipelined requests are told apart, and the answer is complete before the connection is reset.
   *
   * @param matches - Sees one request at a time, its first MiB, as soon as it goes to the server. A reply that is
   *   lost was chosen by the first predicate that matched.
   */
  loseReplyAfter(matches: (request: Buffer) => boolean, options?: LoseReplyOptions): LostReplies;
  /** Ends every connection, and everything that waits. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a TCP proxy in front of a server, to break the connections to it in chosen ways. It holds at most 1000
 * connections and 1 MiB of bytes each way of each; past that it stops reading. It does not keep the process running.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` when a port is none.
 * @example
 * ```ts
 * import { once } from "node:events";
 * import { createServer, type AddressInfo } from "node:net";
 *
 * import { createFaultProxy } from "@sluice/testing/faults";
 *
 * const server = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
 * await once(server, "listening");
 * const { port } = server.address() as AddressInfo;
 * const proxy = await createFaultProxy({ upstream: { host: "127.0.0.1", port } });
 * proxy.url("redis://127.0.0.1:6379/0") === `redis://127.0.0.1:${proxy.port}/0`; // => true
 * proxy.connections; // => 0
 * await proxy.close();
 * server.close();
 * ```
 */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { upstream, port = 0, protocol, clock = systemClock, random = systemRandom } = options;
  assertPort("port", port, 0);
  assertPort("upstream.port", upstream.port, 1);
  const losers = createLosers();
  const conditions = createConditions(random, () => links.refresh());
  const links = createLinks({ upstream, conditions, clock, protocol, doom: losers.doom });
  const listener = await createListener(port, (client) => links.accept(client));
  let refusals = 0;
  let closed = false;

  function put(condition: Condition): Fault {
    if (closed) throw new FaultProxyClosedError();
    const end = conditions.add(condition);
    return faultOf(async () => end());
  }

  async function accept(): Promise<void> {
    refusals -= 1;
    if (refusals === 0 && !closed) await listener.open();
  }

  async function close(): Promise<void> {
    closed = true;
    listener.close();
    await links.close();
  }

  return {
    port: listener.port,
    get connections() {
      return links.traffic().connections;
    },
    traffic: links.traffic,
    until: links.until,
    url: (upstreamUrl) => redirected(upstreamUrl, listener.port),
    latency: (latency) => put(latencyCondition(latency)),
    blackhole: (blackhole = {}) => put(blackholeCondition(blackhole)),
    throttle: (throttle) => put(throttleCondition(throttle)),
    slice: (slice) => put(sliceCondition(slice)),
    halfOpen: (halfOpen = {}) => put(halfOpenCondition(halfOpen)),
    reset: () => links.reset(),
    async refuse() {
      if (closed) throw new FaultProxyClosedError();
      refusals += 1;
      listener.close();
      return faultOf(accept);
    },
    loseReplyAfter: (matches, loss = {}) => losers.add(matches, loss, links.changed),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface LinksOptions {
  readonly upstream: FaultProxyOptions["upstream"];
  readonly conditions: Conditions;
  readonly clock: Clock;
  readonly protocol: Protocol | undefined;
  readonly doom: Doom;
}

function createLinks({ upstream, conditions, clock, protocol, doom }: LinksOptions) {
  const links = new Set<Link>();
  const traffic = createTraffic(links);
  const watch = createWatch(traffic.read);
  let closed = false;
  return {
    traffic: traffic.read,
    until: watch.until,
    changed: watch.changed,
    accept(client: Socket): void {
      const server = connect({ ...upstream, allowHalfOpen: true });
      const link = createLink({
        client,
        upstream: server,
        conditions,
        exchange: createExchange(doom, protocol),
        clock,
        changed: watch.changed,
        closed() {
          traffic.forget(link);
          watch.changed();
        },
      });
      traffic.add(link);
      watch.changed();
      // The kernel may have accepted it just before the port was closed.
      if (closed) link.destroy();
    },
    refresh() {
      for (const link of links) link.refresh();
    },
    reset(): number {
      const open = [...links];
      for (const link of open) link.reset();
      return open.length;
    },
    async close(): Promise<void> {
      closed = true;
      for (const link of links) link.destroy();
      await watch.until(({ connections }) => connections === 0);
      watch.end();
    },
  };
}

function redirected(upstreamUrl: string, port: number): string {
  const url = new URL(upstreamUrl);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return url.href;
}

function assertPort(argument: string, port: number, least: number): void {
  if (!(Number.isInteger(port) && port >= least && port < 65_536)) {
    throw new InvalidArgumentError(argument, `a whole number from ${least} to 65535`, port);
  }
}
