import { createHash, generateKeyPairSync, hkdfSync, randomUUID } from "node:crypto";

import { SignJWT, UnsecuredJWT, type JWTHeaderParameters, type JWTPayload } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { emptyDatabase, startMarketplace, type TestMarketplace } from "./support/marketplace.ts";
import { me, register, send, type Person } from "./support/people.ts";

const secretKey = "the secret key of these tests, which is long enough";
let market: TestMarketplace;
let ada: Person;
let genuine: JWTPayload;
beforeAll(async () => {
  market = await startMarketplace({ databaseUrl: await emptyDatabase(), environment: { SECRET_KEY: secretKey } });
  ada = await register(market);
  genuine = JSON.parse(part(ada.access_token, 1)) as JWTPayload;
});
afterAll(() => market[Symbol.asyncDispose]());

function part(token: string, index: number): string {
  return Buffer.from(token.split(".")[index] ?? "", "base64url").toString();
}

// As the service derives them: a service that derives others cannot read the tokens of the release before.
const key = new Uint8Array(hkdfSync("sha256", secretKey, "", "marketplace access token v1", 32));
const kid = createHash("sha256").update(key).digest("base64url").slice(0, 12);
const header = { alg: "HS256", typ: "at+jwt", kid };
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** A token as the service would sign it, but for what is changed. */
function forged(payload: JWTPayload, changed: Partial<JWTHeaderParameters> = {}): Promise<string> {
  return new SignJWT({ ...genuine, ...payload }).setProtectedHeader({ ...header, ...changed }).sign(key);
}

function seconds(from: number): number {
  return Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000) + from;
}

const invalid = [401, "TOKEN_INVALID"];

/** The status and the code that a token gets. */
async function verdictOn(token: string): Promise<unknown[]> {
  const { status, body } = await me(market, token);
  return [status, body.ok ? "accepted" : body.error.code];
}

describe("an access token", () => {
  it("says who, which session, for how long, and nothing that may change meanwhile", () => {
    expect(JSON.parse(part(ada.access_token, 0))).toEqual(header);
    expect(genuine).toEqual({
      iss: "marketplace",
      aud: "marketplace-api",
      sub: ada.user.id,
      sid: expect.any(String),
      ver: 1,
      iat: expect.any(Number),
      nbf: genuine.iat,
      exp: (genuine.iat ?? 0) + 900,
    });
  });

  it("is accepted as these tests forge it, so that what is refused is refused for its one change", async () => {
    expect((await me(market, await forged({}))).status).toBe(200);
  });

  it("is refused without a signature", async () => {
    const { iss, aud, sub, exp, nbf, iat, ...rest } = genuine;
    expect(await verdictOn(new UnsecuredJWT({ ...rest, ...genuine }).encode())).toEqual(invalid);
    const none = Buffer.from(JSON.stringify({ ...header, alg: "none" })).toString("base64url");
    const [, payload, signature] = ada.access_token.split(".");
    expect(await verdictOn(`${none}.${payload}.`)).toEqual(invalid);
    expect(await verdictOn(`${none}.${payload}.${signature}`)).toEqual(invalid);
    expect([iss, aud, sub, exp, nbf, iat]).not.toContain(undefined);
  });

  it("is refused under another algorithm, even with the right key", async () => {
    expect(await verdictOn(await forged({}, { alg: "HS512" }))).toEqual(invalid);
    expect(await verdictOn(await forged({}, { alg: "HS384" }))).toEqual(invalid);
  });

  it("is refused when a public key is passed off as the secret, or a private one signs", async () => {
    const rs256 = await new SignJWT(genuine).setProtectedHeader({ ...header, alg: "RS256" }).sign(rsa.privateKey);
    expect(await verdictOn(rs256)).toEqual(invalid);
    const jwk = rsa.publicKey.export({ format: "jwk" });
    const own = new SignJWT(genuine).setProtectedHeader({ ...header, alg: "RS256", jwk: { ...jwk } });
    expect(await verdictOn(await own.sign(rsa.privateKey))).toEqual(invalid);
    const pem = Buffer.from(rsa.publicKey.export({ format: "pem", type: "spki" }));
    expect(await verdictOn(await new SignJWT(genuine).setProtectedHeader(header).sign(pem))).toEqual(invalid);
  });

  it("is refused under an unknown key, whatever the key is called", async () => {
    for (const name of ["", "__proto__", "../../dev/null", "' union select 'key", randomUUID()]) {
      expect(await verdictOn(await forged({}, { kid: name }))).toEqual(invalid);
    }
    const { kid: _kid, ...nameless } = header;
    expect(await verdictOn(await new SignJWT(genuine).setProtectedHeader(nameless).sign(key))).toEqual(invalid);
  });

  it.each([
    ["its issuer", { iss: "another marketplace" }],
    ["its audience", { aud: "another api" }],
    ["a missing issuer", { iss: undefined }],
    ["a missing audience", { aud: undefined }],
    ["a missing end", { exp: undefined }],
    ["a missing beginning", { nbf: undefined }],
    ["a missing subject", { sub: undefined }],
    ["a missing session", { sid: undefined }],
    ["a subject that is no id", { sub: "' or '1'='1" }],
    ["a session that is no id", { sid: { $ne: null } }],
    ["a version that is no number", { ver: "1" }],
    ["another version", { ver: 2 }],
    ["an end that is no number", { exp: "never" }],
    ["a session of nobody", { sid: randomUUID() }],
    ["somebody else's session", { sub: randomUUID() }],
  ])("is refused for %s", async (_title, claims) => {
    expect(await verdictOn(await forged(claims as JWTPayload))).toEqual(invalid);
  });

  it("is refused as another type of token", async () => {
    expect(await verdictOn(await forged({}, { typ: "JWT" }))).toEqual(invalid);
  });

  it("is refused after its end, with ten seconds for clocks that differ", async () => {
    expect((await me(market, await forged({ exp: seconds(-5) }))).status).toBe(200);
    const answer = await me(market, await forged({ exp: seconds(-11) }));
    expect([answer.status, answer.body.error.code]).toEqual([401, "TOKEN_EXPIRED"]);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="marketplace", error="invalid_token"');
  });

  it("is refused before its beginning, with ten seconds for clocks that differ", async () => {
    expect((await me(market, await forged({ nbf: seconds(5) }))).status).toBe(200);
    expect(await verdictOn(await forged({ nbf: seconds(13) }))).toEqual(invalid);
  });

  it("is refused with one bit changed", async () => {
    const [head = "", payload = "", signature = ""] = ada.access_token.split(".");
    const flipped = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    expect(await verdictOn(`${head}.${payload}.${flipped}`)).toEqual(invalid);
    const other = Buffer.from(JSON.stringify({ ...genuine, ver: 2 })).toString("base64url");
    expect(await verdictOn(`${head}.${other}.${signature}`)).toEqual(invalid);
  });

  it("is refused when it is too long, before it is read", async () => {
    expect(await verdictOn(await forged({ padding: "a".repeat(4000) }))).toEqual(invalid);
    expect(await verdictOn("a".repeat(8000))).toEqual(invalid);
  });

  it.each([
    "Basic YWRhOnBhc3N3b3Jk",
    "Bearer",
    "Bearer a b",
    "Bearer a,b",
    "Token abc",
    "",
    "Bearer ..",
    "Bearer a.b.c",
  ])("is refused in the form of %j", async (authorization) => {
    const answer = await send(market, ["GET", "/api/auth/me"], { headers: { authorization } });
    expect(answer.status).toBe(401);
  });

  it("is asked for where there is none", async () => {
    const answer = await send(market, ["GET", "/api/auth/me"], {});
    expect(answer).toMatchObject({ status: 401, body: { error: { code: "UNAUTHENTICATED" } } });
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="marketplace"');
  });

  it("is no refresh token, and a refresh token is none", async () => {
    expect(await verdictOn(ada.refresh_token)).toEqual(invalid);
    const answer = await send(market, ["POST", "/api/auth/refresh"], { body: { refresh_token: ada.access_token } });
    expect(answer.body.error.code).toBe("REFRESH_INVALID");
  });

  it("dies with its account", async () => {
    const { access_token: token, refresh_token: refreshToken, user } = await register(market);
    await market.admin.query("delete from users where id = $1::uuid", [user.id]);
    expect(await verdictOn(token)).toEqual(invalid);
    const answer = await send(market, ["POST", "/api/auth/refresh"], { body: { refresh_token: refreshToken } });
    expect(answer).toMatchObject({ status: 401, body: { error: { code: "REFRESH_INVALID" } } });
  });

  it("dies when its owner's role changes, either way", async () => {
    const { access_token: token, user } = await register(market);
    await market.admin.query("update users set role = 'admin' where id = $1::uuid", [user.id]);
    expect(await verdictOn(token)).toEqual(invalid);
  });

  it("survives a new secret key for as long as the old one is named", async () => {
    const { databaseUrl } = market;
    const rotated = { SECRET_KEY: "a new secret key, which is long enough as well", SECRET_KEY_PREVIOUS: secretKey };
    {
      await using next = await startMarketplace({ databaseUrl, environment: rotated });
      expect((await me(next, ada.access_token)).status).toBe(200);
      const { access_token: token } = await register(next);
      expect(JSON.parse(part(token, 0))).not.toMatchObject({ kid });
      expect(await verdictOn(token)).toEqual(invalid);
    }
    await using last = await startMarketplace({ databaseUrl, environment: { SECRET_KEY: rotated.SECRET_KEY } });
    expect((await me(last, ada.access_token)).body.error.code).toBe("TOKEN_INVALID");
  });
});
