import type { Clock } from "@sluice/core";

import { runCommand, type SimReply } from "./commands.ts";
import { Keyspace } from "./keyspace.ts";
import type { Lua } from "./lua.ts";

/** What a server is asked. */
export type ServerRequest =
  | {
      readonly kind: "script";
      readonly source: string;
      readonly keys: readonly string[];
      readonly args: readonly string[];
    }
  | { readonly kind: "command"; readonly name: string; readonly args: readonly string[] };

/** Hears what is published on a server, from then on. */
export type Listener = (channel: string, message: string) => void;

/** How a server is made. */
export interface SimServerOptions {
  readonly clock: Clock;
  readonly lua: Lua;
  /** How far its own clock is off, in ms. */
  readonly skewMs?: number;
}

/** One Redis: keys, a clock of its own, and one request at a time. */
export class SimServer {
  readonly #clock: Clock;
  readonly #lua: Lua;
  readonly #skewMs: number;
  readonly #listeners = new Set<Listener>();
  keyspace = new Keyspace();

  constructor({ clock, lua, skewMs = 0 }: SimServerOptions) {
    this.#clock = clock;
    this.#lua = lua;
    this.#skewMs = skewMs;
  }

  /** Microseconds since the epoch, as this server sees it. */
  get nowUs(): number {
    return Math.floor((this.#clock.now() + (this.#clock.monotonic() % 1) + this.#skewMs) * 1000);
  }

  execute(request: ServerRequest): SimReply {
    const { nowUs } = this;
    const publish = (channel: string, message: string): number => {
      for (const listener of this.#listeners) listener(channel, message);
      return this.#listeners.size;
    };
    const call = (name: string, args: readonly string[]): SimReply =>
      runCommand({ keyspace: this.keyspace, nowUs, publish }, name, args);
    if (request.kind === "command") return call(request.name, request.args);
    return this.#lua.run(request.source, request, call);
  }

  /** Loses a key, as eviction does. */
  evict(key: string): void {
    this.keyspace.set(key, undefined, this.nowUs);
  }

  flushAll(): void {
    for (const key of this.keyspace.keys()) this.evict(key);
  }

  /** Becomes what a replica was that had heard of nothing younger than `lagMs`. Its connections end. */
  failOver(lagMs: number): void {
    const copy = new Keyspace();
    const untilUs = this.nowUs - lagMs * 1000;
    for (const change of this.keyspace.log) if (change.atUs <= untilUs) copy.apply(change);
    this.keyspace = copy;
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
