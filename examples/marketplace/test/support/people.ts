import { request, type Answer, type TestMarketplace } from "./marketplace.ts";

/** The tokens of a session, as the routes answer them. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
}

/** A session, as the routes answer it. */
export interface Session extends Tokens {
  readonly user: { readonly id: string; readonly role: string };
}

/** Somebody with an account, logged in. */
export interface Person extends Session {
  readonly email: string;
}

/** What to send. */
export interface Sent {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** An access token. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What everybody of these tests chooses. */
export const password = "correct horse battery";

/** Sends a request with a method. */
export function send(
  market: Pick<TestMarketplace, "url">,
  [method, path]: readonly [string, string],
  sent: Sent,
): Promise<Answer> {
  const { body, token, headers = {} } = sent;
  return request(market.url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

/** Sends a POST. */
export function post(market: TestMarketplace, path: string, body: unknown): Promise<Answer> {
  return send(market, ["POST", path], { body });
}

let people = 0;

/** Registers somebody whom nobody knows. */
export async function register(market: TestMarketplace, chosen: object = {}): Promise<Person> {
  people += 1;
  const email = `person.${people}@people.example`;
  const answer = await post(market, "/api/auth/register", { email, password, name: "Ada", ...chosen });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return { email, ...(answer.body.data as Session) };
}

/** Somebody with a shop. */
export async function registerSeller(market: TestMarketplace): Promise<Person & { readonly shop: string }> {
  const person = await register(market);
  const shop = { name: "Ada's", location: "Lagos" };
  const answer = await send(market, ["POST", "/api/sellers"], { body: shop, token: person.access_token });
  return { ...person, shop: (answer.body.data as { id: string }).id };
}

/** Somebody who looks after the marketplace. */
export async function registerAdmin(market: TestMarketplace): Promise<Person> {
  const { email } = await register(market);
  await market.admin.query("update users set role = 'admin' where email = $1", [email]);
  const answer = await post(market, "/api/auth/login", { email, password });
  return { email, ...(answer.body.data as Session) };
}

/** What `/api/auth/me` answers to a token. */
export async function me(market: TestMarketplace, token: string): Promise<Answer> {
  return send(market, ["GET", "/api/auth/me"], { token });
}

/** Refreshes, and gives the new tokens; fails where it is refused. */
export async function refresh(market: TestMarketplace, token: string): Promise<Tokens> {
  const answer = await post(market, "/api/auth/refresh", { refresh_token: token });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body.data;
}
