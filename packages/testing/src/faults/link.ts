import type { Socket } from "node:net";

import type { Clock } from "@sluice/core";

import type { Conditions, LaneConditions } from "./conditions.ts";
import type { Exchange } from "./exchange.ts";
import { type Ending, Lane } from "./lane.ts";

/** A connection through a proxy: the client's, the one to the server, and the lanes between them. */
export interface Link {
  readonly requests: Lane;
  readonly replies: Lane;
  /** Looks at the conditions anew. */
  refresh(): void;
  /** Ends both connections by a reset. */
  reset(): void;
  /** Ends both connections at once, and all that waits. */
  destroy(): void;
}

/** What a {@link Link} is made of. */
export interface LinkParts {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly conditions: Conditions;
  readonly exchange: Exchange;
  readonly clock: Clock;
  /** Called whenever a count of a lane has changed. */
  readonly changed: () => void;
  /** Called once, when both connections are closed. */
  readonly closed: () => void;
}

/** Joins two sockets, both of which may be half closed. */
export function createLink(parts: LinkParts): Link {
  const { client, upstream, conditions, exchange, closed } = parts;
  const requests = joinedLane(parts, conditions.requests, {
    source: client,
    target: upstream,
    send(bytes, done) {
      exchange.request(bytes);
      write(upstream, bytes, done);
    },
  });
  const replies = joinedLane(parts, conditions.replies, {
    source: upstream,
    target: client,
    send(bytes, done) {
      const { pass, lost } = exchange.reply(bytes);
      if (!lost) return write(client, pass, done);
      // What came before the lost answer must have left: a reset throws away what has not.
      write(client, pass, () => {
        lost();
        destroy(resetSocket);
      });
    },
  });

  function destroy(end: (socket: Socket) => void): void {
    requests.close();
    replies.close();
    end(client);
    end(upstream);
  }

  listen(client, requests);
  listen(upstream, replies);
  let open = 2;
  for (const socket of [client, upstream]) {
    socket.once("close", () => {
      open -= 1;
      if (open > 0) return;
      requests.close();
      replies.close();
      closed();
    });
  }
  return {
    requests,
    replies,
    refresh() {
      requests.refresh();
      replies.refresh();
    },
    reset: () => destroy(resetSocket),
    destroy: () => destroy((socket) => socket.destroy()),
  };
}

interface Way {
  readonly source: Socket;
  readonly target: Socket;
  readonly send: (bytes: Buffer, done: () => void) => void;
}

function joinedLane({ clock, changed }: LinkParts, conditions: LaneConditions, way: Way): Lane {
  const { source, target, send } = way;
  return new Lane(conditions, clock, {
    deliver: send,
    end: (ending) => endSocket(target, ending),
    throttleSource(paused) {
      if (paused) source.pause();
      else source.resume();
    },
    changed,
  });
}

function listen(socket: Socket, lane: Lane): void {
  socket.setNoDelay(true);
  // The proxy holds no process open.
  socket.unref();
  socket.on("data", (bytes: Buffer) => lane.push(bytes));
  socket.on("end", () => lane.finish("fin"));
  socket.on("error", () => lane.finish("rst"));
}

function write(socket: Socket, bytes: Buffer, done: () => void): void {
  // Bytes for a side that has gone are accepted and lead nowhere.
  if (bytes.length === 0 || socket.destroyed || socket.writableEnded) queueMicrotask(done);
  else socket.write(bytes, () => done());
}

function endSocket(socket: Socket, ending: Ending): void {
  if (ending === "rst") resetSocket(socket);
  else socket.end();
}

function resetSocket(socket: Socket): void {
  // The other end may be connected already, and would take a mere close for an orderly end.
  if (socket.connecting) {
    socket.once("connect", () => resetSocket(socket));
    return;
  }
  // By itself, resetAndDestroy first sends what is buffered and an orderly end. The second call leaves out both.
  if (!socket.destroyed) socket.resetAndDestroy();
  socket.destroy();
}
