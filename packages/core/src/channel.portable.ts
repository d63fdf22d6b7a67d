import type { Channel, ChannelListener } from "./channel.ts";

// On the global object, so that two installed copies of this package still share their channels.
const registryKey = Symbol.for("sluice.channels");

interface Host {
  [registryKey]?: Map<string, Channel>;
  readonly reportError?: (error: unknown) => void;
}

const host = globalThis as Host;

/**
 * The channel of that name in this process, for runtimes without `node:diagnostics_channel`.
 *
 * It keeps that module's semantics. Listeners run in order, within `publish`. One that is added or removed during a
 * message counts from the next message on. What a listener throws is reported afterwards as an uncaught exception:
 * through the global `reportError` where the runtime has it, otherwise by throwing from a microtask.
 *
 * Channels are never forgotten, so names must come from code, not from input.
 */
export function channel(name: string): Channel {
  const channels = (host[registryKey] ??= new Map());
  const known = channels.get(name);
  if (known) return known;
  const created = createChannel(name);
  channels.set(name, created);
  return created;
}

function createChannel(name: string): Channel {
  // Replaced on every change, never mutated: a running `publish` keeps the listeners that it began with.
  let listeners: readonly ChannelListener[] = [];
  function publish(message: unknown): void {
    for (const listener of listeners) deliver(listener, message, name);
  }
  return {
    get hasSubscribers() {
      return listeners.length > 0;
    },
    publish,
    subscribe(listener) {
      listeners = [...listeners, listener];
    },
    unsubscribe(listener) {
      const index = listeners.indexOf(listener);
      if (index !== -1) listeners = listeners.toSpliced(index, 1);
    },
    runStores(message, work) {
      publish(message);
      return work();
    },
  };
}

function deliver(listener: ChannelListener, message: unknown, name: string): void {
  try {
    listener(message, name);
  } catch (error) {
    reportLater(error);
  }
}

function reportLater(error: unknown): void {
  queueMicrotask(() => {
    if (!host.reportError) throw error;
    host.reportError(error);
  });
}
