import { LuaWasmEngine, type ReplyValue } from "lua-redis-wasm";

import type { SimReply } from "./commands.ts";

/** What a script calls. */
export type CallCommand = (name: string, args: readonly string[]) => SimReply;

/** The Lua of Redis, for the real scripts. */
export interface Lua {
  run(source: string, entry: { keys: readonly string[]; args: readonly string[] }, call: CallCommand): SimReply;
}

/** Starts an engine. Some ten milliseconds; one serves any number of servers. */
export async function createLua(): Promise<Lua> {
  let calling: CallCommand | undefined;
  const perform = ([name, ...args]: readonly Buffer[]): ReplyValue => {
    const reply = calling?.(text(name ?? Buffer.of()), args.map(text)) ?? null;
    return toEngine(reply);
  };
  const engine = await LuaWasmEngine.create({ host: { redisCall: perform, redisPcall: perform, log: () => {} } });
  return {
    run(source, { keys, args }, call) {
      calling = call;
      try {
        return fromEngine(engine.evalWithArgs(source, keys.map(bytes), args.map(bytes)));
      } finally {
        calling = undefined;
      }
    },
  };
}

function text(buffer: Buffer): string {
  return buffer.toString("latin1");
}

function bytes(value: string): Buffer {
  return Buffer.from(value, "latin1");
}

function toEngine(reply: SimReply): ReplyValue {
  if (reply === null || typeof reply === "number") return reply;
  if (typeof reply === "string") return bytes(reply);
  if (Array.isArray(reply)) return (reply as readonly SimReply[]).map(toEngine);
  return "ok" in reply ? { ok: bytes(reply.ok) } : { err: bytes((reply as { err: string }).err) };
}

function fromEngine(value: unknown): SimReply {
  if (Buffer.isBuffer(value)) return text(value);
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number" || value === null) return value;
  if (Array.isArray(value)) return value.map(fromEngine);
  if (typeof value === "object" && "err" in value) return { err: text(value.err as Buffer) };
  if (typeof value === "object" && "ok" in value) return { ok: text(value.ok as Buffer) };
  throw new Error(`A script answered what no Redis answers: a ${typeof value}`);
}
