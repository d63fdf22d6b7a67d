import type { Keyspace } from "./keyspace.ts";

/** What a command may answer: bytes are strings of one character each. */
export type SimReply =
  | string
  | number
  | null
  | readonly SimReply[]
  | { readonly ok: string }
  | { readonly err: string };

/** Where a command runs. */
export interface CommandGround {
  readonly keyspace: Keyspace;
  readonly nowUs: number;
  readonly publish: (channel: string, message: string) => number;
}

type Command = (ground: CommandGround, args: readonly string[]) => SimReply;

const wrongType = { err: "ERR value is not an integer or out of range" } as const;

/** What the scripts of primitives use. One of them is a function of a few lines: add what is missing. */
const commands: Readonly<Record<string, Command>> = {
  GET: ({ keyspace, nowUs }, [key = ""]) => keyspace.get(key, nowUs)?.value ?? null,
  MGET: ({ keyspace, nowUs }, keys) => keys.map((key) => keyspace.get(key, nowUs)?.value ?? null),
  GETRANGE({ keyspace, nowUs }, [key = "", from = "0", to = "-1"]) {
    const value = keyspace.get(key, nowUs)?.value ?? "";
    const place = (text: string): number => (Number(text) < 0 ? value.length + Number(text) : Number(text));
    return value.slice(place(from), place(to) + 1);
  },
  SET: set,
  DEL: remove,
  UNLINK: remove,
  EXISTS: ({ keyspace, nowUs }, keys) => keys.filter((key) => keyspace.get(key, nowUs) !== undefined).length,
  INCRBY: increase,
  PEXPIRE({ keyspace, nowUs }, [key = "", ms = "0"]) {
    const held = keyspace.get(key, nowUs);
    if (!held) return 0;
    keyspace.set(key, { ...held, untilUs: nowUs + Number(ms) * 1000 }, nowUs);
    return 1;
  },
  PTTL({ keyspace, nowUs }, [key = ""]) {
    const held = keyspace.get(key, nowUs);
    if (!held) return -2;
    return held.untilUs === Number.POSITIVE_INFINITY ? -1 : Math.round((held.untilUs - nowUs) / 1000);
  },
  PUBLISH: ({ publish }, [channel = "", message = ""]) => publish(channel, message),
  TIME: ({ nowUs }) => [String(Math.floor(nowUs / 1e6)), String(Math.floor(nowUs % 1e6))],
  PING: () => ({ ok: "PONG" }),
};

/** Runs one command. */
export function runCommand(ground: CommandGround, name: string, args: readonly string[]): SimReply {
  const command = commands[name.toUpperCase()];
  return command ? command(ground, args) : { err: `ERR the simulation does not know ${name}` };
}

function set({ keyspace, nowUs }: CommandGround, [key = "", value = "", ...options]: readonly string[]): SimReply {
  const flags = options.map((option) => option.toUpperCase());
  const exists = keyspace.get(key, nowUs) !== undefined;
  if ((flags.includes("NX") && exists) || (flags.includes("XX") && !exists)) return null;
  const px = flags.indexOf("PX");
  const untilUs = px < 0 ? Number.POSITIVE_INFINITY : nowUs + Number(options[px + 1]) * 1000;
  keyspace.set(key, { value, untilUs }, nowUs);
  return { ok: "OK" };
}

function remove({ keyspace, nowUs }: CommandGround, keys: readonly string[]): SimReply {
  const present = keys.filter((key) => keyspace.get(key, nowUs) !== undefined);
  for (const key of present) keyspace.set(key, undefined, nowUs);
  return present.length;
}

function increase({ keyspace, nowUs }: CommandGround, [key = "", by = "1"]: readonly string[]): SimReply {
  const held = keyspace.get(key, nowUs);
  const sum = Number(held?.value ?? 0) + Number(by);
  if (!Number.isSafeInteger(sum)) return wrongType;
  keyspace.set(key, { value: String(sum), untilUs: held?.untilUs ?? Number.POSITIVE_INFINITY }, nowUs);
  return sum;
}
