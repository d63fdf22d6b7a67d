import { RedisNotAReadError } from "./errors.ts";
import type { Argument, ReadCommand } from "./port.ts";

type KeyPlace = "none" | "first" | "all";

const keyPlaces: Readonly<Record<ReadCommand, KeyPlace>> = {
  GET: "first",
  MGET: "all",
  GETRANGE: "first",
  STRLEN: "first",
  EXISTS: "all",
  TYPE: "first",
  PTTL: "first",
  HGET: "first",
  HMGET: "first",
  HGETALL: "first",
  HLEN: "first",
  SCARD: "first",
  SISMEMBER: "first",
  SMISMEMBER: "first",
  SMEMBERS: "first",
  ZCARD: "first",
  ZCOUNT: "first",
  ZRANGE: "first",
  LLEN: "first",
  LRANGE: "first",
  SCAN: "none",
  TIME: "none",
  PING: "none",
};

/**
 * The keys among the arguments of a read.
 *
 * @throws `ERR_SLUICE_REDIS_NOT_A_READ` for any other command.
 */
export function keysOfRead(command: ReadCommand, args: readonly Argument[]): string[] {
  // hasOwn: a caller without types may ask for "constructor".
  if (!Object.hasOwn(keyPlaces, command)) throw new RedisNotAReadError(command);
  const place = keyPlaces[command];
  if (place === "none") return [];
  return (place === "all" ? args : args.slice(0, 1)).map(String);
}
