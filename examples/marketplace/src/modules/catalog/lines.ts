import { Failure } from "../../http/failure.ts";

/** Bounds of a body of lines. Unit: bytes. */
export interface LineLimits {
  readonly longestLine: number;
  readonly all: number;
}

/** One line of a body, its number from 1. Without text where it is too long or no UTF-8. */
export interface Line {
  readonly number: number;
  readonly text: string | undefined;
}

const newline = 0x0a;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Splits a body into lines as it arrives, and holds no more of it than one line and one chunk.
 *
 * @yields the lines that are not blank.
 * @throws a 413 when the body is too large.
 */
export async function* readLines(body: AsyncIterable<Buffer>, { longestLine, all }: LineLimits): AsyncGenerator<Line> {
  const line = createLine(longestLine);
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > all) throw new Failure(413, ["BODY_TOO_LARGE", `The body is larger than ${all} bytes`]);
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      line.add(chunk.subarray(start, end));
      const complete = line.end();
      if (complete.text?.trim() !== "") yield complete;
      start = end + 1;
    }
    line.add(chunk.subarray(start));
  }
  const last = line.end();
  if (last.text?.trim() !== "") yield last;
}

function createLine(longest: number) {
  let parts: Buffer[] = [];
  let length = 0;
  let number = 0;
  return {
    add(part: Buffer): void {
      length += part.length;
      if (length <= longest) parts.push(part);
      else parts = [];
    },
    end(): Line {
      number += 1;
      const text = length > longest ? undefined : decoded(Buffer.concat(parts));
      parts = [];
      length = 0;
      return { number, text };
    },
  };
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
