import { argon2, type Argon2Parameters } from "node:crypto";
import { promisify } from "node:util";

/** What one hash costs. OWASP's first choice for Argon2id is 19 MiB, 2 passes and 1 lane. */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** A hash and all that is needed to make it again. */
export interface Argon2Hash {
  readonly cost: Argon2Cost;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

/** Computes a tag. */
export type DeriveTag = (parameters: Argon2Parameters) => Promise<Uint8Array>;

/** Bytes of a salt, and of a tag. */
export const [saltBytes, tagBytes] = [16, 32] as const;

const derive = promisify(argon2);

/** Argon2id (RFC 9106) of this Node, on its thread pool. */
export const deriveTag: DeriveTag = (parameters) => derive("argon2id", parameters);

// The PHC string format: base64 without padding.
const phc = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/** A hash as text, in the {@link https://github.com/P-H-C/phc-string-format | PHC string format}. */
export function encodeHash({ cost: { memoryKib, passes, parallelism }, salt, tag }: Argon2Hash): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`;
}

/** What {@link encodeHash} has written. */
export function decodeHash(text: string): Argon2Hash {
  const [, memory, passes, parallelism, salt, tag] = phc.exec(text) ?? [];
  if (salt === undefined || tag === undefined) throw new Error("A stored password hash is not one of Argon2id");
  return {
    cost: { memoryKib: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}
