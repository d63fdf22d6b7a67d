import { connect, type Socket } from "node:net";

import { systemClock } from "@sluice/core";

/** An answer of a Redis. An error is a value, so that the other answers of an exchange are not lost. */
export type RedisAnswer = string | number | null | Error | readonly RedisAnswer[];

/** A command and its arguments. */
export type RedisCommand = readonly (string | number)[];

/**
 * Sends commands in one go, collects their answers and closes the connection.
 *
 * @throws `Error` when the connection fails, ends early, answers anything but RESP2, or takes longer than `withinMs`.
 */
export function exchange(
  socket: Socket,
  commands: readonly RedisCommand[],
  withinMs: number,
): Promise<readonly RedisAnswer[]> {
  return new Promise((resolve, reject) => {
    const timer = systemClock.schedule(withinMs, () => socket.destroy(new Error("it did not answer in time")));
    const answers: RedisAnswer[] = [];
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      try {
        for (let parsed = parse(rest, 0); parsed; parsed = parse(rest, 0)) {
          answers.push(parsed.answer);
          rest = rest.subarray(parsed.next);
        }
        if (answers.length === commands.length) socket.destroy();
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.once("error", reject);
    socket.once("close", () => {
      timer.cancel();
      if (answers.length === commands.length) resolve(answers);
      else reject(answers.find((answer) => answer instanceof Error) ?? new Error("it closed the connection"));
    });
    socket.write(commands.map(encoded).join(""));
  });
}

// A frozen server accepts connections and does not answer.
const longestAnswerMs = 1000;

/** Asks the server at a port of 127.0.0.1, in one round trip. */
export function askRedis(port: number, ...commands: readonly RedisCommand[]): Promise<readonly RedisAnswer[]> {
  return exchange(connect(port, "127.0.0.1"), commands, longestAnswerMs);
}

function encoded(command: RedisCommand): string {
  const parts = command.map(String);
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`;
}

interface Parsed {
  readonly answer: RedisAnswer;
  readonly next: number;
}

/** The answer that begins at a place, unless the rest of it is still to come. */
function parse(bytes: Buffer, at: number): Parsed | undefined {
  const end = bytes.indexOf("\r\n", at);
  if (end === -1) return undefined;
  const [type, text, next] = [bytes.toString("latin1", at, at + 1), bytes.toString("utf8", at + 1, end), end + 2];
  switch (type) {
    case "+":
      return { answer: text, next };
    case "-":
      return { answer: new Error(text), next };
    case ":":
      return { answer: Number(text), next };
    case "$":
      return parseString(bytes, next, Number(text));
    case "*":
      return parseArray(bytes, next, Number(text));
    default:
      throw new Error("what answers there is no Redis");
  }
}

function parseString(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { answer: null, next: at };
  const next = at + length + 2;
  return bytes.length < next ? undefined : { answer: bytes.toString("utf8", at, at + length), next };
}

function parseArray(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { answer: null, next: at };
  const answer: RedisAnswer[] = [];
  let next = at;
  while (answer.length < length) {
    const parsed = parse(bytes, next);
    if (!parsed) return undefined;
    answer.push(parsed.answer);
    next = parsed.next;
  }
  return { answer, next };
}
