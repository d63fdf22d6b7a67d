import { channel } from "#channel";

import type { Channel } from "./channel.ts";

/** Name of a package's events, such as `"sluice:cache"`. */
export type EventChannelName = `sluice:${string}`;

/** Name of an operation that runs user code, such as `"sluice:cache:load"`. */
export type TraceChannelName = `sluice:${string}:${string}`;

/** A package's stream of typed events. */
export interface EventChannel<Event> {
  /**
   * Whether anybody listens. One property read: ask before building an event that costs more than an object literal.
   */
  readonly hasSubscribers: boolean;
  /**
   * Hands the event to every listener before it returns. A listener that throws neither stops the other listeners nor
   * reaches the publisher: the runtime reports it afterwards as an uncaught exception, as
   * `node:diagnostics_channel` does.
   */
  publish(event: Event): void;
  /** Adds a listener. Returns the function that removes it; calling that twice is harmless. */
  subscribe(listener: (event: Event) => void): () => void;
}

/** What a {@link TraceChannel} tells its listeners: the context of the operation, and its outcome once it is known. */
export type TraceMessage<Context extends object> = Context & {
  /** What the operation resolved to. Absent until then. */
  result?: unknown;
  /** What the operation threw or rejected with. Absent unless it did. */
  error?: unknown;
};

/** The five moments of a traced operation, named as by `tracingChannel` of `node:diagnostics_channel`. */
export interface TraceListeners<Context extends object> {
  /** Before the work is called. */
  start?(message: TraceMessage<Context>): void;
  /** After the call of the work has returned its promise, or has thrown. */
  end?(message: TraceMessage<Context>): void;
  /** After the promise has settled. */
  asyncStart?(message: TraceMessage<Context>): void;
  /** Right after `asyncStart`, before the caller goes on. */
  asyncEnd?(message: TraceMessage<Context>): void;
  /** As soon as the work has failed, before `end` or `asyncStart`. */
  error?(message: TraceMessage<Context>): void;
}

/** The stream of one operation that runs user code. */
export interface TraceChannel<Context extends object> {
  /** Whether anybody listens to any of the five moments. At most five property reads. */
  readonly hasSubscribers: boolean;
  /**
   * Runs `work` once and announces its five moments. Its result and its errors pass through unchanged, and an error
   * that it throws before it returns a promise is thrown at once. Without listeners this is a plain call of `work`.
   *
   * @param context - Facts about the operation. The same object accompanies all five messages, and `result` or
   *   `error` is set on it: pass a fresh one to every call.
   */
  trace<T>(context: Context, work: () => Promise<T>): Promise<T>;
  /** Adds listeners. Returns the function that removes them; calling that twice is harmless. */
  subscribe(listeners: TraceListeners<Context>): () => void;
}

/**
 * A package's stream of events: `channel(name)` of `node:diagnostics_channel`, with a type. Whoever subscribes to
 * that name there receives these events, and the other way round. Where a runtime lacks that module, a small
 * equivalent inside this package takes its place. Publishing costs one check when nobody listens.
 *
 * @param name - `sluice:<package>`. It must come from code, not from input: channels are never forgotten.
 * @example
 * ```ts
 * import { eventChannel } from "@sluice/core";
 *
 * interface Taken {
 *   readonly type: "taken";
 *   readonly key: string;
 * }
 * const events = eventChannel<Taken>("sluice:example");
 * const keys: string[] = [];
 * const stop = events.subscribe((event) => keys.push(event.key));
 * events.publish({ type: "taken", key: "user:42" });
 * stop();
 * keys; // => ["user:42"]
 * ```
 */
export function eventChannel<Event>(name: EventChannelName): EventChannel<Event> {
  const stream = channel(name);
  return {
    get hasSubscribers() {
      return stream.hasSubscribers;
    },
    publish: (event) => stream.publish(event),
    subscribe: (listener) => listen(stream, listener),
  };
}

const moments = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;

/**
 * The stream of one operation that runs user code: `tracingChannel(name)` of `node:diagnostics_channel`, with a type.
 * Whoever subscribes to that name there receives these messages, and an async context that is bound to its `start`
 * channel holds inside the work.
 *
 * @param name - `sluice:<package>:<operation>`. It must come from code, not from input: channels are never forgotten.
 * @example
 * ```ts
 * import { traceChannel } from "@sluice/core";
 *
 * const loads = traceChannel<{ readonly key: string }>("sluice:example:load");
 * const seen: unknown[] = [];
 * const stop = loads.subscribe({ asyncEnd: ({ key, result }) => seen.push(`${key} gave ${String(result)}`) });
 * await loads.trace({ key: "product:42" }, async () => 7); // => 7
 * stop();
 * seen; // => ["product:42 gave 7"]
 * ```
 */
export function traceChannel<Context extends object>(name: TraceChannelName): TraceChannel<Context> {
  const streams = {
    start: channel(`tracing:${name}:start`),
    end: channel(`tracing:${name}:end`),
    asyncStart: channel(`tracing:${name}:asyncStart`),
    asyncEnd: channel(`tracing:${name}:asyncEnd`),
    error: channel(`tracing:${name}:error`),
  };
  return {
    get hasSubscribers() {
      return isHeard(streams);
    },
    trace: (context, work) => (isHeard(streams) ? traceHeard(streams, context, work) : work()),
    subscribe(listeners) {
      const stops = moments.map((moment) => {
        const listener = listeners[moment]?.bind(listeners);
        return listener ? listen(streams[moment], listener) : undefined;
      });
      return () => {
        for (const stop of stops) stop?.();
      };
    },
  };
}

type TraceStreams = Readonly<Record<(typeof moments)[number], Channel>>;

function isHeard({ start, end, asyncStart, asyncEnd, error }: TraceStreams): boolean {
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  );
}

// The order of the messages is that of tracePromise in Node. It is spelled out here, because every runtime shares it
// and because tracePromise fails the operation when the context is frozen.
function traceHeard<T>(streams: TraceStreams, context: object, work: () => Promise<T>): Promise<T> {
  const { start, end, asyncStart, asyncEnd, error: failures } = streams;
  const fail = (error: unknown): void => {
    Reflect.set(context, "error", error);
    failures.publish(context);
  };
  const settle = (): void => {
    asyncStart.publish(context);
    asyncEnd.publish(context);
  };
  const call = (): Promise<T> => {
    try {
      return work();
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      end.publish(context);
    }
  };
  return Promise.resolve(start.runStores(context, call)).then(
    (result) => {
      Reflect.set(context, "result", result);
      settle();
      return result;
    },
    (error: unknown) => {
      fail(error);
      settle();
      throw error;
    },
  );
}

function listen(stream: Channel, listener: (message: never) => void): () => void {
  // A function of its own per subscription, so that removing it twice cannot remove somebody else's.
  const own = (message: unknown): void => listener(message as never);
  stream.subscribe(own);
  return () => stream.unsubscribe(own);
}
