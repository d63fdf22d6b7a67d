/** Somebody who wants a unit. */
export interface Buyer {
  readonly token: string;
  /** Where the request comes from, as a proxy would say. */
  readonly address: string;
}

/** What a generator is to do: everybody buys one unit, all at once. */
export interface Load {
  /** Of a server on this machine. */
  readonly url: string;
  readonly productId: string;
  readonly buyers: readonly Buyer[];
  /** Connections that are open at once, at most. */
  readonly sockets: number;
  /** After which it ends, whoever is still without an answer. */
  readonly withinMs: number;
}

/** An order that was accepted. Times in ms. */
export interface Accepted {
  readonly orderId: string;
  /** From the request's sending to its answer. */
  readonly tookMs: number;
  /** The server's own part of it: `Server-Timing: accept`. */
  readonly acceptMs: number | undefined;
}

/** What everybody was told. */
export interface Tally {
  readonly accepted: readonly Accepted[];
  /** Buyers who were told that there is nothing left. */
  readonly refused: number;
  /** Every other last answer: a status, or a network error's code, and how many buyers got it. */
  readonly others: Readonly<Record<string, number>>;
  /** Requests that were sent again, after an answer that asked for it or no answer. */
  readonly repeats: number;
  /** From the first request to the last answer. */
  readonly elapsedMs: number;
}
