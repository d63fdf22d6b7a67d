import { InvalidArgumentError } from "@sluice/core";

import { RedisReplyError, RedisUnavailableError } from "./errors.ts";
import type { Argument, Reply } from "./port.ts";

/**
 * One step of a SCAN over every master. The cursor is `<server>/<its cursor>`, so no state is kept here. A server
 * that has gone since is left out, and the walk goes on with the next one in order of their names.
 */
export async function scanServers(
  servers: readonly string[],
  args: readonly Argument[],
  send: (args: readonly Argument[], server: string) => Promise<Reply>,
): Promise<Reply> {
  const [cursor = "0", ...rest] = args;
  const at = placeOf(String(cursor), servers);
  if (at.server === undefined) {
    if (cursor === "0") throw new RedisUnavailableError("not-connected", "no master of the Cluster is known yet");
    return ["0", []];
  }
  const reply = await send([at.cursor, ...rest], at.server);
  if (!Array.isArray(reply)) throw new RedisReplyError("ERR SCAN without a cursor");
  const [next, keys] = reply as readonly Reply[];
  return [cursorAfter(at.server, toText(next), servers), keys ?? []];
}

function placeOf(cursor: string, servers: readonly string[]): { server: string | undefined; cursor: string } {
  if (cursor === "0") return { server: servers[0], cursor };
  const cut = cursor.lastIndexOf("/");
  if (cut < 0) throw new InvalidArgumentError("cursor", "one that SCAN has answered", cursor);
  const name = cursor.slice(0, cut);
  if (servers.includes(name)) return { server: name, cursor: cursor.slice(cut + 1) };
  return { server: servers.find((server) => server > name), cursor: "0" };
}

function cursorAfter(server: string, next: string, servers: readonly string[]): string {
  if (next !== "0") return `${server}/${next}`;
  const following = servers.find((other) => other > server);
  return following === undefined ? "0" : `${following}/0`;
}

function toText(reply: Reply | undefined): string {
  return reply instanceof Uint8Array ? new TextDecoder().decode(reply) : String(reply);
}
