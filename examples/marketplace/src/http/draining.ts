import type { Server } from "./server.ts";

/**
 * Ends connections after their answer while `isDraining`. Closing a server ends only those that are idle at that moment:
 * one whose request is under way would stay open, and keep the process, for as long as its client likes.
 */
export function endConnections(server: Pick<Server, "addHook">, isDraining: () => boolean): void {
  server.addHook("onSend", async (_request, reply) => {
    if (isDraining()) reply.header("connection", "close");
  });
  // An answer whose head had been sent before.
  server.addHook("onResponse", async ({ raw }) => {
    if (isDraining()) raw.socket.end();
  });
}
