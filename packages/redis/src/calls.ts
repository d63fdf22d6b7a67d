import type { Clock } from "@sluice/core";

import { createOutageBreaker, type OutageBreaker } from "./breaker.ts";
import { createDeadlines, Wait, type Deadlines } from "./deadlines.ts";
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
export interface Request extends Command {
  /** The script's text, for a server that does not know its SHA-1, the first argument. */
  readonly source: string | undefined;
  /** Whether an answer that never comes leaves a doubt about what was done. */
  readonly writes: boolean;
  /** The server that it goes to, as far as known: outages are noticed per server. */
  readonly shard: string;
  readonly deadlineMs: number | undefined;
}

/** Who waits for an outcome. */
export interface Settle {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** One call. A class, as there is one per call and its method is then made once. */
class Pending extends Wait {
  readonly request: Request;
  readonly breaker: OutageBreaker;
  readonly caller: Settle;
  readonly #calls: Calls;
  sent = false;
  isOver = false;
  late: Settle | undefined = undefined;

  constructor(calls: Calls, request: Request, { breaker, caller }: { breaker: OutageBreaker; caller: Settle }) {
    super();
    this.#calls = calls;
    this.request = request;
    this.breaker = breaker;
    this.caller = caller;
  }

  expire(): void {
    this.#calls.expire(this);
  }
}

// Errors by which a server says that it has not begun to run the command, nor will.
const refusals = new Set(["ASK", "BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MOVED", "READONLY", "TRYAGAIN"]);

// Servers of a Cluster come and go. To forget a breaker that is open costs a few more calls that find it out again.
const mostBreakers = 256;

/** Deadline, breaker and bookkeeping around a driver: every call settles, in time and with what is known about it. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #breakers = new Map<string, OutageBreaker>();
  // Everybody who waits for an outcome, and of those the ones that wait for a connection first.
  readonly #deadlines: Deadlines<Pending>;
  readonly #unsent = new Set<Pending>();
  #outstanding = 0;
  readonly #unwatch: () => void;
  #wasReady: boolean;
  #onDrained: (() => void) | undefined;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#deadlines = createDeadlines(options.clock);
    this.#wasReady = options.driver.isReady();
    this.#unwatch = options.driver.watch({
      ready: () => this.#ready(),
      lost: (detail) => this.#lost(detail),
    });
  }

  /** Sends a command and calls one of the two by its deadline at the latest, perhaps at once. */
  start(request: Request, caller: Settle): void {
    const breaker = this.#breaker(request.shard);
    const refusal = this.#refusal(breaker);
    if (refusal) return caller.reject(refusal);
    const one = new Pending(this, request, { breaker, caller });
    this.#outstanding += 1;
    const isReady = this.#options.driver.isReady();
    if (isReady) this.#send(one, request);
    else this.#unsent.add(one);
    // The command goes first: what is left to do is then done while the server works.
    this.#deadlines.start(one, request.deadlineMs ?? this.#options.deadlineMs);
    if (!isReady) this.#options.driver.connect();
  }

  /** The same as a promise. */
  call(request: Request): Promise<Reply> {
    return new Promise((resolve, reject) => this.start(request, { resolve, reject }));
  }

  /** Refuses new calls and those not sent yet, and resolves when the others have settled. */
  async drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      for (const one of this.#unsent) this.#settle(one, closedError());
      if (this.#outstanding === 0) resolve();
    });
    this.#unwatch();
  }

  #ready(): void {
    this.#wasReady = true;
    redisEvents.publish({ type: "connection-ready", role: this.#options.role });
    for (const breaker of this.#breakers.values()) breaker.alive();
    for (const one of this.#unsent) {
      this.#unsent.delete(one);
      this.#send(one, one.request);
    }
  }

  #lost(detail: string): void {
    redisEvents.publish({ type: "connection-lost", role: this.#options.role, detail });
    // A connection that breaks may be back in no time; one that cannot be made will not.
    if (!this.#wasReady) this.#breaker("").away();
    this.#wasReady = false;
    for (const one of this.#deadlines.waiting()) {
      if (!one.sent || !this.#options.driver.resends) this.#settle(one, lossOf(one, detail));
    }
  }

  #refusal(breaker: OutageBreaker): RedisUnavailableError | undefined {
    if (this.#onDrained) return closedError();
    if (this.#outstanding >= this.#options.maxOutstanding) {
      return new RedisUnavailableError("overloaded", `${this.#outstanding} calls are waiting for an answer`);
    }
    if (breaker.admits()) return undefined;
    return new RedisUnavailableError("breaker-open", "it did not answer lately; probes find out when it does");
  }

  #send(one: Pending, command: Command): void {
    const { driver } = this.#options;
    one.sent = true;
    attempted(driver, command).then(
      (answer) => this.#answered(one, toReply(answer)),
      (error: unknown) => this.#failed(one, driver.failureOf(error)),
    );
  }

  #answered(one: Pending, reply: Reply): void {
    one.breaker.alive();
    if (this.#settle(one)) one.caller.resolve(reply);
    else one.late?.resolve(reply);
  }

  #failed(one: Pending, failure: Failure): void {
    const { source, args } = one.request;
    // Nothing has run, so the text may follow within the same deadline; after it, nobody waits for that any more.
    if (source !== undefined && failure.message.startsWith("NOSCRIPT") && !one.isOver) {
      return this.#send(one, { ...one.request, name: "EVAL", args: [source, ...args.slice(1)] });
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
    if (one.isOver) return false;
    one.isOver = true;
    this.#outstanding -= 1;
    this.#deadlines.met(one);
    if (!one.sent) this.#unsent.delete(one);
    if (error) one.caller.reject(error);
    if (this.#outstanding === 0) this.#onDrained?.();
    return true;
  }

  #breaker(shard: string): OutageBreaker {
    const known = this.#breakers.get(shard);
    if (known) return known;
    const { clock, role, breaker } = this.#options;
    const onChange = (open: boolean): void =>
      redisEvents.publish({ type: open ? "breaker-opened" : "breaker-closed", role, shard });
    if (this.#breakers.size >= mostBreakers) this.#breakers.clear();
    const created = createOutageBreaker({ clock, ...breaker, onChange });
    this.#breakers.set(shard, created);
    return created;
  }
}

/** A driver that throws has failed like one that rejects, or the call would wait, and closing with it, for good. */
function attempted(driver: RedisDriver, command: Command): Promise<unknown> {
  try {
    return driver.send(command);
  } catch (error) {
    return Promise.reject(error);
  }
}

function lossOf({ sent, request }: Pending, detail: string): Error {
  if (sent && request.writes) return new RedisUnknownError("connection-lost", detail);
  return new RedisUnavailableError("not-connected", detail);
}

function closedError(): RedisUnavailableError {
  return new RedisUnavailableError("closed", "the connection was closed by its owner");
}
