/** Bytes of a stream, and whether they complete a unit: one request, or all of the answer to one. */
export interface Piece {
  readonly bytes: Buffer;
  readonly last: boolean;
}

/** Cuts one way of one connection into units, chunk by chunk. What it returns joins up to the chunk. */
export type Splitter = (chunk: Buffer) => Piece[];

/** How to tell requests and answers apart. The n-th answer belongs to the n-th request. */
export interface Protocol {
  /** A splitter for what one client sends, from the first byte on. */
  readonly requests: () => Splitter;
  /** A splitter for what the server sends to it. */
  readonly replies: () => Splitter;
}

/**
 * Cuts chunks where `endOf` says that a unit ends.
 *
 * @param endOf - Reads on from `from` and returns the offset behind the end of a unit, or `undefined` when the chunk
 *   holds none. It remembers where it is.
 */
export function splitter(endOf: (chunk: Buffer, from: number) => number | undefined): Splitter {
  return (chunk) => {
    const pieces: Piece[] = [];
    let from = 0;
    while (from < chunk.length) {
      const end = endOf(chunk, from);
      pieces.push({ bytes: chunk.subarray(from, end), last: end !== undefined });
      from = end ?? chunk.length;
    }
    return pieces;
  };
}
