import type { NodeResponse } from "./messages.ts";

type Headers = Record<string, string | readonly string[]>;

// RFC 9110, 5.5 and 5.6.2.
const notInValues = /[^\t\u0020-\u007e\u0080-\u00ff]/;
const token = /^[!#$%&'*+\-.^_`|~\da-z]+$/i;

/**
 * Headers that a response gets with its head, unless it has its own of that name by then. Each costs a fraction of
 * what `setHeader` does, for a response whose other headers come with its head as well.
 */
export class EarlyHeaders {
  readonly #headers: Headers = {};

  constructor(response: NodeResponse) {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = (status, ...rest) => {
      const [first, second] = rest;
      if (typeof first === "string") return writeHead(status, first, this.#beside(second, response));
      return writeHead(status, this.#beside(first, response));
    };
  }

  /**
   * Sets a header, named in lower case.
   *
   * @throws TypeError for what is no header, as Node does, only now: later, nobody could answer for it.
   */
  set(name: string, value: string | readonly string[]): void {
    const isInvalid =
      typeof value === "string" ? notInValues.test(value) : value.some((each) => notInValues.test(each));
    if (isInvalid || !token.test(name)) throw new TypeError(`This is no header: ${JSON.stringify(name)}`);
    this.#headers[name] = value;
  }

  #beside(written: unknown, response: NodeResponse): unknown {
    if (Array.isArray(written)) return this.#among(written, response);
    const own = written as Headers | undefined;
    const all: Headers = { ...own };
    for (const name in this.#headers) {
      const value = this.#headers[name];
      if (value !== undefined && !response.hasHeader(name) && !(own && has(own, name))) all[name] = value;
    }
    return all;
  }

  /** Node takes lists, too: what comes in one replaces what has been set. */
  #among(list: readonly unknown[], response: NodeResponse): readonly unknown[] {
    for (const [name, value] of Object.entries(this.#headers)) {
      if (!response.hasHeader(name)) response.setHeader(name, value);
    }
    return list;
  }
}

/** Whether there is a header of this name, in any case. */
function has(headers: Headers, name: string): boolean {
  for (const each in headers) if (each.length === name.length && each.toLowerCase() === name) return true;
  return false;
}
