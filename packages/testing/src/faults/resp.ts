import { splitter, type Protocol, type Splitter } from "./protocol.ts";

/**
 * The Redis protocol, RESP2 and RESP3, with pipelining. A push of RESP3 counts as part of the answer that follows.
 * Not for connections that subscribe in RESP2: there, messages cannot be told from answers.
 *
 * Source: {@link https://redis.io/docs/latest/develop/reference/protocol-spec/ | Redis serialization protocol}.
 */
export const respProtocol: Protocol = { requests: respSplitter, replies: respSplitter };

// Enough for a type and a length.
const keptLine = 32;

const strings = new Set(["$", "=", "!"]);

// How many values follow the line of an aggregate. An attribute is followed by the value that it describes, too.
const contents: Readonly<Record<string, (length: number) => number>> = {
  "*": (length) => Math.max(0, length),
  "~": (length) => length,
  ">": (length) => length,
  "%": (length) => length * 2,
  "|": (length) => length * 2 + 1,
};

interface Place {
  /** Values that are still to come in this unit. */
  values: number;
  /** Bytes of a string that are still to come, with its line end. */
  skip: number;
  /** The beginning of a line that has not ended. */
  line: string;
  push: boolean;
}

function respSplitter(): Splitter {
  const place: Place = { values: 1, skip: 0, line: "", push: false };
  return splitter((chunk, from) => {
    let at = from;
    while (at < chunk.length) {
      at = place.skip > 0 ? skipString(place, chunk, at) : readLine(place, chunk, at);
      if (place.values > 0 || place.skip > 0 || place.line !== "") continue;
      const ends = !place.push;
      Object.assign(place, { values: 1, push: false });
      if (ends) return at;
    }
    return undefined;
  });
}

function skipString(place: Place, chunk: Buffer, at: number): number {
  const bytes = Math.min(place.skip, chunk.length - at);
  place.skip -= bytes;
  return at + bytes;
}

function readLine(place: Place, chunk: Buffer, at: number): number {
  const end = chunk.indexOf("\n", at);
  const next = end === -1 ? chunk.length : end + 1;
  place.line += chunk.toString("latin1", at, Math.min(next, at + keptLine));
  if (end === -1) {
    place.line = place.line.slice(0, keptLine);
    return next;
  }
  const type = place.line[0] ?? "";
  const length = Number.parseInt(place.line.slice(1), 10);
  if (strings.has(type) && length >= 0) place.skip = length + 2;
  if (type === ">") place.push = true;
  place.values += (contents[type]?.(length) ?? 0) - 1;
  place.line = "";
  return next;
}
