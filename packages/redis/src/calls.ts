import type { Clock, Timer } from "@sluice/core";

import { createOutageBreaker, type OutageBreaker } from "./breaker.ts";
import { createDeadlines, type Deadlines, type Expiring } from "./deadlines.ts";
import type { Command, Failure, RedisDriver } from "./driver.ts";
import { RedisReplyError, RedisUnavailableError, RedisUnknownError } from "./errors.ts";
import { redisEvents } from "./events.ts";
import type { Reply } from "./port.ts";
import { toReply } from "./reply.ts";

/** What {@link Calls} needs to know. */
export interface CallsOptions {
  readonly driver: RedisDriver;
  readonly clock: Clock;
  readonly role: string;
  readonly deadlineMs: number;
  readonly maxOutstanding: number;
  readonly breaker: { readonly failures: number; readonly probeMs: number };
}

/** A command with what its failure would mean. */
export interface Request {
  readonly command: Command;
  /** The script's text, for a server that does not know its SHA-1, the first argument. */
  readonly source: string | undefined;
  /** Whether an answer that never comes leaves a doubt about what was done. */
  readonly writes: boolean;
  /** The server that it goes to, as far as known: outages are noticed per server. */
  readonly shard: string;
  readonly deadlineMs: number | undefined;
}

/** One call. A class, as there is one per call and its method is then made once. */
class Pending implements Expiring {
  readonly request: Request;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly breaker: OutageBreaker;
  readonly #calls: Calls;
  sent = false;
  dueMs = 0;
  isOver = false;
  /** Ends a deadline of its own length. */
  timer: Timer | undefined = undefined;
  late: Settle | undefined = undefined;

  constructor(calls: Calls, request: Request, { breaker, resolve, reject }: Settle & { breaker: OutageBreaker }) {
    this.#calls = calls;
    this.request = request;
    this.breaker = breaker;
    this.resolve = resolve;
    this.reject = reject;
  }

  expire(): void {
    this.#calls.expire(this);
  }
}

interface Settle {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

// Errors by which a server says that it has not begun to run the command, nor will.
const refusals = new Set(["ASK", "BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MOVED", "READONLY", "TRYAGAIN"]);

/** Deadline, breaker and bookkeeping around a driver: every call settles, in time and with what is known about it. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #pending = new Set<Pending>();
  readonly #breakers = new Map<string, OutageBreaker>();
  readonly #deadlines: Deadlines;
  readonly #unwatch: () => void;
  #wasReady: boolean;
  #onDrained: (() => void) | undefined;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#deadlines = createDeadlines(options.clock, options.deadlineMs);
    this.#wasReady = options.driver.isReady();
    this.#unwatch = options.driver.watch({
      ready: () => this.#ready(),
      lost: (detail) => this.#lost(detail),
    });
  }

  /** Sends a command and calls one of the two by its deadline at the latest, perhaps at once. */
  start(request: Request, resolve: (reply: Reply) => void, reject: (error: Error) => void): void {
    const breaker = this.#breaker(request.shard);
    const refusal = this.#refusal(breaker);
    if (refusal) return reject(refusal);
    const one = new Pending(this, request, { breaker, resolve, reject });
    this.#pending.add(one);
    this.#startDeadline(one);
    if (this.#options.driver.isReady()) this.#send(one, request.command);
    else this.#options.driver.connect();
  }

  /** The same as a promise. */
  call(request: Request): Promise<Reply> {
    return new Promise((resolve, reject) => this.start(request, resolve, reject));
  }

  /** Refuses new calls and those not sent yet, and resolves when the others have settled. */
  async drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      for (const one of this.#pending) if (!one.sent) this.#settle(one, closedError());
      if (this.#pending.size === 0) resolve();
    });
    this.#unwatch();
  }

  #ready(): void {
    this.#wasReady = true;
    redisEvents.publish({ type: "connection-ready", role: this.#options.role });
    for (const breaker of this.#breakers.values()) breaker.alive();
    for (const one of this.#pending) if (!one.sent) this.#send(one, one.request.command);
  }

  #lost(detail: string): void {
    redisEvents.publish({ type: "connection-lost", role: this.#options.role, detail });
    // A connection that breaks may be back in no time; one that cannot be made will not.
    if (!this.#wasReady) this.#breaker("").away();
    this.#wasReady = false;
    for (const one of this.#pending) {
      if (!one.sent || !this.#options.driver.resends) this.#settle(one, lossOf(one, detail));
    }
  }

  #refusal(breaker: OutageBreaker): RedisUnavailableError | undefined {
    if (this.#onDrained) return closedError();
    if (this.#pending.size >= this.#options.maxOutstanding) {
      return new RedisUnavailableError("overloaded", `${this.#pending.size} calls are waiting for an answer`);
    }
    if (breaker.admits()) return undefined;
    return new RedisUnavailableError("breaker-open", "it did not answer lately; probes find out when it does");
  }

  #startDeadline(one: Pending): void {
    const { clock, deadlineMs } = this.#options;
    const ms = one.request.deadlineMs ?? deadlineMs;
    if (ms === deadlineMs) this.#deadlines.start(one);
    else one.timer = clock.schedule(ms, () => one.expire());
  }

  #send(one: Pending, command: Command): void {
    const { driver } = this.#options;
    one.sent = true;
    driver.send(command).then(
      (answer) => this.#answered(one, toReply(answer)),
      (error: unknown) => this.#failed(one, driver.failureOf(error)),
    );
  }

  #answered(one: Pending, reply: Reply): void {
    one.breaker.alive();
    if (this.#settle(one)) one.resolve(reply);
    else one.late?.resolve(reply);
  }

  #failed(one: Pending, failure: Failure): void {
    const { source, command } = one.request;
    // Nothing has run, so the text may follow within the same deadline; after it, nobody waits for that any more.
    if (source !== undefined && failure.message.startsWith("NOSCRIPT") && this.#pending.has(one)) {
      return this.#send(one, { ...command, name: "EVAL", args: [source, ...command.args.slice(1)] });
    }
    const error = this.#errorOf(one, failure);
    if (!this.#settle(one, error)) one.late?.reject(error);
    return undefined;
  }

  #errorOf(one: Pending, { kind, message }: Failure): Error {
    const { breaker } = one;
    if (kind === "lost") {
      breaker.silent();
      return lossOf(one, message);
    }
    if (kind === "not-sent") {
      breaker.away();
      return new RedisUnavailableError("not-connected", message);
    }
    breaker.alive();
    const error = new RedisReplyError(message);
    if (!refusals.has(error.kind)) return error;
    // A master that became a replica: the new one is elsewhere.
    if (error.kind === "READONLY") this.#options.driver.reset?.();
    return new RedisUnavailableError("server-state", message);
  }

  /** The time of a call is up. */
  expire(one: Pending): void {
    one.breaker.silent();
    const detail = `no answer within ${one.request.deadlineMs ?? this.#options.deadlineMs} ms`;
    if (!one.sent || !one.request.writes) {
      this.#settle(one, new RedisUnavailableError("deadline", one.sent ? detail : `no connection, ${detail}`));
      return;
    }
    const late = new Promise<Reply>((resolve, reject) => (one.late = { resolve, reject }));
    late.catch(() => {});
    this.#settle(one, new RedisUnknownError("deadline", detail, late));
  }

  /** Ends the wait, with an error if one is given. False when it has ended before. */
  #settle(one: Pending, error?: Error): boolean {
    if (!this.#pending.delete(one)) return false;
    if (one.timer) one.timer.cancel();
    else this.#deadlines.met(one);
    if (error) one.reject(error);
    if (this.#pending.size === 0) this.#onDrained?.();
    return true;
  }

  #breaker(shard: string): OutageBreaker {
    const known = this.#breakers.get(shard);
    if (known) return known;
    const { clock, role, breaker } = this.#options;
    const onChange = (open: boolean): void =>
      redisEvents.publish({ type: open ? "breaker-opened" : "breaker-closed", role, shard });
    const created = createOutageBreaker({ clock, ...breaker, onChange });
    this.#breakers.set(shard, created);
    return created;
  }
}

function lossOf({ sent, request }: Pending, detail: string): Error {
  if (sent && request.writes) return new RedisUnknownError("connection-lost", detail);
  return new RedisUnavailableError("not-connected", detail);
}

function closedError(): RedisUnavailableError {
  return new RedisUnavailableError("closed", "the connection was closed by its owner");
}
