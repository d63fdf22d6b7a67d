import type { Clock, Random } from "@sluice/core";
import {
  commonSlot,
  RedisReplyError,
  RedisUnavailableError,
  RedisUnknownError,
  slotOf,
  type Argument,
  type Redis,
  type Reply,
} from "@sluice/redis";

import type { SimReply } from "./commands.ts";
import { calm, Lane, type Weather } from "./network.ts";
import type { ServerRequest, SimServer } from "./server.ts";
import { SimSubscription } from "./sim-subscription.ts";

/** How one process is connected. */
export interface SimRedisOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** One server, or the masters of a Cluster, which share the slots by turns. */
  readonly servers: readonly SimServer[];
  /** Longest wait for an answer in ms. */
  readonly deadlineMs: number;
  readonly heartbeatMs?: number;
}

interface Call {
  readonly request: ServerRequest;
  readonly writes: boolean;
  readonly deadlineMs: number;
  readonly bytes: boolean;
}

/** The ways to one server and back. Replaced when they are cut. */
interface Connection {
  readonly there: Lane;
  readonly back: Lane;
  readonly pending: Set<(error: Error) => void>;
}

/**
 * The port of `@sluice/redis` over simulated servers: requests of one connection keep their order, and may be late,
 * lost, answered in vain or executed twice. What the port promises holds: every call settles by its deadline, and says
 * whether it may have been applied.
 */
export class SimRedis implements Redis {
  readonly resends = false;
  readonly sharded: boolean;
  weather: Weather = calm;
  readonly #options: SimRedisOptions;
  readonly #connections = new Map<SimServer, Connection>();
  readonly #subscriptions = new Set<SimSubscription>();

  constructor(options: SimRedisOptions) {
    this.#options = options;
    this.sharded = options.servers.length > 1;
  }

  shardOf(slot: number): string {
    return this.sharded ? `n${slot % this.#options.servers.length}` : "";
  }

  async run(...[script, { keys, args }, call = {}]: Parameters<Redis["run"]>): Promise<Reply> {
    if (keys.length > 1 && (this.sharded || call.acrossSlots !== true)) commonSlot(keys);
    const request: ServerRequest = { kind: "script", source: script.source, keys, args: args.map(textOf) };
    return this.#call(this.#serverOf(keys), this.#callOf(request, true, call));
  }

  async read(...[command, args, call = {}]: Parameters<Redis["read"]>): Promise<Reply> {
    const texts = args.map(textOf);
    const keys = command === "MGET" || command === "EXISTS" ? texts : texts.slice(0, 1);
    if (this.sharded) commonSlot(keys);
    return this.#call(this.#serverOf(keys), this.#callOf({ kind: "command", name: command, args: texts }, false, call));
  }

  async subscribe(...[channel, onMessage, onDoubt]: Parameters<Redis["subscribe"]>): Promise<SimSubscription> {
    const { clock, random, heartbeatMs = 500, servers } = this.#options;
    const [server] = servers;
    if (!server) throw new Error("There is no server.");
    const weather = (): Weather => this.weather;
    const options = { clock, random, server, heartbeatMs, channel, onMessage, onDoubt, weather };
    const subscription = new SimSubscription(options, () => this.#subscriptions.delete(subscription));
    this.#subscriptions.add(subscription);
    await subscription.opened;
    return subscription;
  }

  /** Ends every connection: what is underway may have been executed, or not. */
  disconnect(): void {
    for (const [server, { there, back, pending }] of this.#connections) {
      // What the server has received is executed; the answers reach nobody.
      if (this.#options.random.float() < 0.5) there.cut();
      back.cut();
      this.#connections.delete(server);
      for (const lose of pending) lose(new RedisUnknownError("connection-lost", "cut by the simulation"));
    }
    for (const subscription of this.#subscriptions) subscription.lose();
  }

  /** Cuts subscriptions alone: with notice, or in silence. */
  cutSubscriptions(how: "noticed" | "silent"): void {
    for (const subscription of this.#subscriptions) {
      if (how === "noticed") subscription.lose();
      else subscription.fallSilent();
    }
  }

  #callOf(request: ServerRequest, writes: boolean, { deadlineMs = this.#options.deadlineMs, bytes = false }): Call {
    return { request, writes, deadlineMs, bytes };
  }

  #serverOf(keys: readonly string[]): SimServer {
    const { servers } = this.#options;
    const server = servers[this.sharded && keys[0] !== undefined ? slotOf(keys[0]) % servers.length : 0];
    if (!server) throw new Error("There is no server.");
    return server;
  }

  #connection(server: SimServer): Connection {
    const known = this.#connections.get(server);
    if (known) return known;
    const { clock, random } = this.#options;
    const made: Connection = { there: new Lane(clock, random), back: new Lane(clock, random), pending: new Set() };
    this.#connections.set(server, made);
    return made;
  }

  #call(server: SimServer, { request, writes, deadlineMs, bytes }: Call): Promise<Reply> {
    const { clock, random } = this.#options;
    const { there, back, pending } = this.#connection(server);
    const { weather } = this;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        if (!pending.delete(lose)) return;
        deadline.cancel();
        act();
      };
      const lose = (error: Error): void => settle(() => reject(writes ? error : unavailable("not-connected")));
      const deadline = clock.schedule(deadlineMs, () => {
        settle(() => reject(writes ? new RedisUnknownError("deadline", "simulated") : unavailable("deadline")));
      });
      pending.add(lose);
      if (random.float() < weather.loseRequest) return;
      const lateMs = random.float() < weather.late ? weather.lateMs : 0;
      const isTwice = writes && random.float() < weather.duplicate;
      const perform = (): void => {
        const reply = server.execute(request);
        if (random.float() < weather.loseReply) return;
        back.send(weather, () => settle(() => answer(reply, bytes, { resolve, reject })));
      };
      there.send(weather, perform, lateMs);
      // As a resend would: later, on no order with what came in between.
      if (isTwice) clock.schedule(random.float() * 50, () => void server.execute(request));
    });
  }
}

interface Settle {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

function answer(reply: SimReply, bytes: boolean, { resolve, reject }: Settle): void {
  if (typeof reply === "object" && reply !== null && "err" in reply) reject(new RedisReplyError(reply.err));
  else resolve(toReply(reply, bytes));
}

function toReply(reply: SimReply, bytes: boolean): Reply {
  if (typeof reply === "string") return bytes ? Buffer.from(reply, "latin1") : Buffer.from(reply, "latin1").toString();
  if (Array.isArray(reply)) return (reply as readonly SimReply[]).map((each) => toReply(each, bytes));
  if (typeof reply === "object" && reply !== null) return (reply as { readonly ok: string }).ok;
  return reply;
}

function textOf(argument: Argument): string {
  return typeof argument === "object"
    ? Buffer.from(argument).toString("latin1")
    : Buffer.from(String(argument)).toString("latin1");
}

function unavailable(reason: "deadline" | "not-connected"): RedisUnavailableError {
  return new RedisUnavailableError(reason, "simulated");
}
