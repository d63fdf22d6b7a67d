/** A named stream of messages within this process: the part of `node:diagnostics_channel` that Sluice relies on. */
export interface Channel {
  /** Whether a message would reach anyone. */
  readonly hasSubscribers: boolean;
  /** Hands a message to every listener before it returns. What a listener throws never reaches the publisher. */
  publish(message: unknown): void;
  /** Adds a listener. The same function added twice hears every message twice. */
  subscribe(listener: ChannelListener): void;
  /** Removes a listener once. Harmless when it is not there. */
  unsubscribe(listener: ChannelListener): void;
  /** Publishes a message, then runs `work` inside the async context that listeners bound to the channel. */
  runStores<T>(message: object, work: () => T): T;
}

/** Hears the messages of a {@link Channel}. */
export type ChannelListener = (message: unknown, name: string | symbol) => void;
