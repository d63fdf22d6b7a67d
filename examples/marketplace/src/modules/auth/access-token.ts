import { createHash, hkdfSync } from "node:crypto";

import type { Clock } from "@sluice/core";
import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";

import type { Session } from "./session-repository.ts";

/** How access tokens are made and checked. */
export interface AccessTokenOptions {
  /** Keys are derived from it. */
  readonly secretKey: string;
  /** The one before: its tokens are still accepted. */
  readonly previousSecretKey?: string | undefined;
  readonly issuer: string;
  readonly audience: string;
  readonly ttlMs: number;
  readonly clock: Clock;
}

/** What became of a token that was presented. */
export type Verified =
  | { readonly ok: true; readonly session: Session }
  | { readonly ok: false; readonly reason: "expired" | "invalid" };

/** Makes and checks access tokens: JWTs of RFC 9068. */
export interface AccessTokens {
  issue(session: Session): Promise<string>;
  /** Checks everything that the token itself can prove. Never throws for what a client sent. */
  verify(token: string): Promise<Verified>;
}

/** How far the clocks of two processes may be apart. */
const clockToleranceSeconds = 10;
/** Ours have about 400 characters. */
const longestToken = 2048;
const [algorithm, type] = ["HS256", "at+jwt"] as const;

const claims = z.object({ sub: z.uuid(), sid: z.uuid(), ver: z.int().positive() });

/** Access tokens under keys that are derived from the service's secret. */
export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { secretKey, previousSecretKey, issuer, audience, ttlMs, clock } = options;
  const current = keyOf(secretKey);
  const keys = new Map([current, ...(previousSecretKey === undefined ? [] : [keyOf(previousSecretKey)])]);
  const [keyId, key] = current;

  return {
    issue({ userId, familyId, authVersion }) {
      const nowSeconds = Math.floor(clock.now() / 1000);
      return new SignJWT({ sid: familyId, ver: authVersion })
        .setProtectedHeader({ alg: algorithm, typ: type, kid: keyId })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setIssuedAt(nowSeconds)
        .setNotBefore(nowSeconds)
        .setExpirationTime(nowSeconds + Math.floor(ttlMs / 1000))
        .sign(key);
    },
    async verify(token) {
      if (token.length > longestToken) return { ok: false, reason: "invalid" };
      try {
        const { payload } = await jwtVerify(token, ({ kid }) => known(keys, kid), {
          // The token's own header must not choose how it is checked.
          algorithms: [algorithm],
          typ: type,
          issuer,
          audience,
          requiredClaims: ["sub", "iat", "nbf", "exp"],
          clockTolerance: clockToleranceSeconds,
          currentDate: new Date(clock.now()),
        });
        const { sub, sid, ver } = claims.parse(payload);
        return { ok: true, session: { userId: sub, familyId: sid, authVersion: ver } };
      } catch (error) {
        return { ok: false, reason: reasonOf(error) };
      }
    },
  };
}

/** A key for access tokens alone, and the name that tokens call it by. */
function keyOf(secretKey: string): readonly [id: string, key: Uint8Array] {
  const key = new Uint8Array(hkdfSync("sha256", secretKey, "", "marketplace access token v1", 32));
  return [createHash("sha256").update(key).digest("base64url").slice(0, 12), key];
}

function known(keys: ReadonlyMap<string, Uint8Array>, keyId: string | undefined): Uint8Array {
  const key = keys.get(keyId ?? "");
  if (key === undefined) throw new errors.JWKSNoMatchingKey();
  return key;
}

function reasonOf(error: unknown): "expired" | "invalid" {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JOSEError || error instanceof z.ZodError) return "invalid";
  throw error;
}
