import type { Protocol } from "./protocol.ts";

/** Watches one connection for the answers that are to be lost. */
export interface Exchange {
  /** Takes note of bytes on their way to the server. */
  request(bytes: Buffer): void;
  /** What of these bytes from the server the client may see, and whether an answer was lost with the rest. */
  reply(bytes: Buffer): Verdict;
}

/** What becomes of bytes from the server. */
export interface Verdict {
  readonly pass: Buffer;
  /** Called when the connection is being reset; absent when it goes on. */
  readonly lost?: () => void;
}

/** Decides over one request: the function to call once its answer is lost, or `undefined` to let it be. */
export type Doom = (request: Buffer) => (() => void) | undefined;

/** How much of one request a predicate can see. */
export const shownRequestBytes = 2 ** 20;

const nothing = Buffer.alloc(0);

/** @param protocol - Without one, everything a client sends between two answers counts as one request. */
export function createExchange(doom: Doom, protocol: Protocol | undefined): Exchange {
  return protocol ? framedExchange(doom, protocol) : blindExchange(doom);
}

function blindExchange(doom: Doom): Exchange {
  const unit = createUnit();
  let answered = false;
  let lost: (() => void) | undefined;
  return {
    request(bytes) {
      if (answered) unit.take();
      answered = false;
      unit.add(bytes);
      lost ??= doom(unit.bytes());
    },
    reply(bytes) {
      answered = true;
      return lost ? { pass: nothing, lost } : { pass: bytes };
    },
  };
}

function framedExchange(doom: Doom, protocol: Protocol): Exchange {
  const [splitRequests, splitReplies] = [protocol.requests(), protocol.replies()];
  const unit = createUnit();
  const doomed: { readonly request: number; readonly lost: () => void }[] = [];
  let requests = 0;
  let replies = 0;
  return {
    request(bytes) {
      for (const piece of splitRequests(bytes)) {
        unit.add(piece.bytes);
        if (!piece.last) continue;
        const lost = doom(unit.take());
        if (lost) doomed.push({ request: requests, lost });
        requests += 1;
      }
    },
    reply(bytes) {
      const passed: Buffer[] = [];
      for (const piece of splitReplies(bytes)) {
        const [next] = doomed;
        const swallowed = next?.request === replies;
        if (!swallowed) passed.push(piece.bytes);
        if (!piece.last) continue;
        if (next && swallowed) return { pass: Buffer.concat(passed), lost: next.lost };
        replies += 1;
      }
      return { pass: passed.length === 1 ? passed[0]! : Buffer.concat(passed) };
    },
  };
}

function createUnit() {
  let chunks: Buffer[] = [];
  let length = 0;
  const bytes = (): Buffer => {
    if (chunks.length > 1) chunks = [Buffer.concat(chunks)];
    return chunks[0] ?? nothing;
  };
  return {
    bytes,
    add(chunk: Buffer) {
      const shown = chunk.subarray(0, shownRequestBytes - length);
      if (shown.length > 0) chunks.push(shown);
      length += shown.length;
    },
    take(): Buffer {
      const taken = bytes();
      chunks = [];
      length = 0;
      return taken;
    },
  };
}
