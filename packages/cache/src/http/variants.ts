import { hash } from "node:crypto";

import { InvalidArgumentError } from "@sluice/core";
import type { HttpRequest, ReplyHeaders } from "@sluice/http";

/**
 * The request headers that replies differ by, each with what it comes down to: `(value) => "en" | "fr"`. Clients write
 * a header in endless ways, and each text that this returns is stored by itself.
 */
export type Vary = Readonly<Record<string, (value: string | undefined) => string>>;

/** How requests for one thing differ. */
export interface Variants {
  /** What is sent as `Vary`; undefined for none. */
  readonly header: string | undefined;
  /** The variant that a request asks for; empty where there is only one. */
  of(request: HttpRequest): string;
  /** Whether a handler's `Vary` names nothing besides. */
  covers(headers: ReplyHeaders): boolean;
}

/** @throws `ERR_SLUICE_INVALID_ARGUMENT` for a name that is no header. */
export function variantsOf(vary: Vary): Variants {
  const names = Object.keys(vary).map((name) => name.toLowerCase());
  const wrong = names.find((name) => !/^[a-z0-9-]+$/.test(name));
  if (wrong !== undefined) throw new InvalidArgumentError("vary", "names of request headers", wrong);
  return {
    header: names.length === 0 ? undefined : names.join(", "),
    of(request) {
      if (names.length === 0) return "";
      const values = Object.entries(vary).map(([name, valueOf]) => valueOf(request.header(name)));
      // Whatever it holds, it becomes a part of a key.
      return hash("sha256", JSON.stringify(values), "base64url").slice(0, 22);
    },
    covers(headers) {
      const named = [headers["vary"] ?? []].flat().flatMap((value) => value.split(","));
      return named.every((name) => name.trim() === "" || names.includes(name.trim().toLowerCase()));
    },
  };
}
