import { InvalidArgumentError } from "@sluice/core";

import { sha256 } from "./sha256.ts";

/** Whom a limit is counted for: a user, an address, an API key. */
export interface Subject {
  /** Where the subject is kept, such as `rate:user:42`. Without braces, so it is its own hash tag on a Cluster. */
  readonly key: string;
}

/**
 * An authenticated user: `rate:user:42`.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an id that is empty or longer than 65 536 characters.
 */
export function byUser(id: string): Subject {
  return { key: `rate:user:${component("id", id)}` };
}

/**
 * An anonymous client: `rate:anon:203.0.113.7`. Pass what one client can change only at a cost: an IPv4 address, or the
 * /64 of an IPv6 address, as a host owns all 2^64 addresses of it. `undefined`, where a runtime does not know the
 * address, is one subject for all of them.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an address that is empty or longer than 65 536 characters.
 */
export function byIp(address: string | undefined): Subject {
  // Colons of an address stay readable: nothing comes after them.
  return { key: `rate:anon:${address === undefined ? "-" : component("address", address, addressText)}` };
}

/**
 * Anything else that has an id that is no secret, such as an organisation: `rate:key:org_7`.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for an id that is empty or longer than 65 536 characters.
 */
export function byKey(id: string): Subject {
  return { key: `rate:key:${component("id", id)}` };
}

/**
 * A holder of a secret, such as an API key: `rate:secret:#` and its SHA-256, so that the secret is in no key, event or
 * error.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a secret that is empty or longer than 65 536 characters.
 */
export function bySecret(secret: string): Subject {
  if (isText(secret)) return { key: `rate:secret:${hashed(secret)}` };
  throw new InvalidArgumentError("secret", expected, typeof secret);
}

/**
 * One action of a user, for a limit of its own: `rate_limit:42:buy`.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for a part that is empty or longer than 65 536 characters.
 */
export function byAction(userId: string, action: string): Subject {
  return { key: `rate_limit:${component("userId", userId)}:${component("action", action)}` };
}

/**
 * Where a subject is kept.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` for what is none.
 */
export function keyOf(subject: Subject): string {
  if (typeof subject?.key === "string") return subject.key;
  throw new InvalidArgumentError("subject", "one that byUser() or its siblings made", subject);
}

const expected = "a text of 1 to 65536 characters";
const plainText = /^[A-Za-z0-9._~@+=,!$()-]+$/;
const addressText = /^[0-9A-Fa-f.:/]+$/;
const longestPlain = 64;
const longestText = 65_536;

/**
 * A piece of a key that no other text has and that no other piece can run into: letters, digits and some marks stay,
 * everything else is percent-encoded, and what is long is a hash.
 */
function component(argument: string, text: string, plain = plainText): string {
  if (!isText(text)) throw new InvalidArgumentError(argument, expected, text);
  const encoded = plain.test(text) ? text : encode(text);
  return encoded.length > longestPlain ? hashed(text) : encoded;
}

function isText(text: unknown): text is string {
  return typeof text === "string" && text.length > 0 && text.length <= longestText;
}

// With a mark that no encoded text has, so that nobody can choose an id that is another's hash. A lone surrogate, which
// has no UTF-8, is escaped before.
function hashed(text: string): string {
  return `#${sha256(text.isWellFormed() ? text : encode(text))}`;
}

// With the flag u a pair of surrogates is one match, and a lone one its own.
function encode(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._~@+=,!$()-]/gu, (character) => {
    if (!character.isWellFormed()) return `%u${character.charCodeAt(0).toString(16).toUpperCase()}`;
    const encoded = encodeURIComponent(character);
    return encoded === character ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : encoded;
  });
}
