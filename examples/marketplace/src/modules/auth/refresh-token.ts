import { createCipheriv, createDecipheriv, createHash, hkdfSync } from "node:crypto";

import type { Random } from "@sluice/core";

/** A refresh token, and what is stored of it. */
export interface RefreshToken {
  /** What the client keeps: 256 random bits in base64url. */
  readonly text: string;
  /** SHA-256 of the text. A fast hash is enough for what cannot be guessed. */
  readonly hash: Uint8Array;
}

const tokenBytes = 32;
const form = /^[A-Za-z0-9_-]{43}$/;

/** A token that nobody has had before. */
export function drawRefreshToken(random: Random): RefreshToken {
  return tokenOf(Buffer.from(random.bytes(tokenBytes)).toString("base64url"));
}

/** The token of a text, or undefined where the text is no token. */
export function readRefreshToken(text: string): RefreshToken | undefined {
  return form.test(text) ? tokenOf(text) : undefined;
}

function tokenOf(text: string): RefreshToken {
  return { text, hash: createHash("sha256").update(text).digest() };
}

const cipher = "aes-256-gcm";
const [ivBytes, tagBytes] = [12, 16] as const;

/** Encrypts the successor of a token, so that who has the token can read it, and who has the database cannot. */
export function sealSuccessor(token: RefreshToken, successor: RefreshToken, random: Random): Uint8Array {
  const iv = random.bytes(ivBytes);
  const sealing = createCipheriv(cipher, sealingKey(token), iv);
  const sealed = Buffer.concat([sealing.update(successor.text), sealing.final()]);
  return Buffer.concat([iv, sealing.getAuthTag(), sealed]);
}

/** What {@link sealSuccessor} has encrypted. */
export function openSuccessor(token: RefreshToken, sealed: Uint8Array): RefreshToken {
  const opening = createDecipheriv(cipher, sealingKey(token), sealed.subarray(0, ivBytes));
  opening.setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
  const text = Buffer.concat([opening.update(sealed.subarray(ivBytes + tagBytes)), opening.final()]).toString();
  return tokenOf(text);
}

function sealingKey({ text }: RefreshToken): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", text, "", "marketplace refresh token successor v1", 32));
}
