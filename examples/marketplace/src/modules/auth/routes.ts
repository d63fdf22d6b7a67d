import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";

import { errorAnswers, ok, success } from "../../http/envelope.ts";
import { bearer, principalOf, type Guards } from "../../http/principal.ts";
import type { Server } from "../../http/server.ts";
import { account, login, refreshRequest, registration, session, tokens } from "./account.ts";
import { unauthenticated } from "./refusal.ts";
import type { AuthService, TokenPair } from "./service.ts";
import { readSessionCookie, sessionCookie } from "./session-cookie.ts";

/** What the routes need beside the service. */
export interface AuthRoutesOptions {
  readonly guards: Guards;
  readonly accessTtlMs: number;
  readonly refreshTtlMs: number;
  /** Whether browsers reach the service over HTTPS. */
  readonly secureCookies: boolean;
}

const tags = ["auth"];
const done = { 200: success(z.object({})), ...errorAnswers };

/** The routes of accounts and sessions. */
export function authRoutes(server: Server, service: AuthService, options: AuthRoutesOptions): void {
  const deliver = delivery(options);
  const began = { 200: success(session), 201: success(session), ...errorAnswers };

  server.post(
    "/auth/register",
    { schema: { tags, summary: "Open an account, and log in", body: registration, response: began } },
    async (request, reply) => {
      const { use_cookie: cookie, ...person } = request.body;
      const { user, ...pair } = await service.register(person);
      void reply.code(201);
      return ok(request.id, { user, ...deliver(request, reply, { pair, cookie }) });
    },
  );
  server.post(
    "/auth/login",
    { schema: { tags, summary: "Log in", body: login, response: began } },
    async (request, reply) => {
      const { use_cookie: cookie, ...credentials } = request.body;
      const { user, ...pair } = await service.logIn(credentials);
      return ok(request.id, { user, ...deliver(request, reply, { pair, cookie }) });
    },
  );
  const refreshed = { 200: success(tokens), ...errorAnswers };
  server.post(
    "/auth/refresh",
    { schema: { tags, summary: "New tokens for a refresh token", body: refreshRequest, response: refreshed } },
    async (request, reply) => {
      const { token, cookie } = presented(request);
      if (token === undefined) throw unauthenticated("REFRESH_INVALID", "There is no refresh token in the request");
      const pair = await service.refresh(token, request.log);
      return ok(request.id, deliver(request, reply, { pair, cookie }));
    },
  );
  server.post(
    "/auth/logout",
    { schema: { tags, summary: "End the session of a refresh token", body: refreshRequest, response: done } },
    async (request, reply) => {
      const { token, cookie } = presented(request);
      if (token !== undefined) await service.logOut(token);
      if (cookie) void reply.header("set-cookie", cookieOf(request, "", options));
      return ok(request.id, {});
    },
  );
  accountRoutes(server, service, options.guards);
}

function accountRoutes(server: Server, service: AuthService, { user }: Guards): void {
  server.post(
    "/auth/logout-all",
    { onRequest: user, schema: { tags, ...bearer, summary: "End all sessions of the account", response: done } },
    async (request) => {
      await service.logOutEverywhere(principalOf(request).userId);
      return ok(request.id, {});
    },
  );
  const response = { 200: success(account), ...errorAnswers };
  server.get(
    "/auth/me",
    { onRequest: user, schema: { tags, ...bearer, summary: "The account of the access token", response } },
    async (request) => ok(request.id, await service.account(principalOf(request).userId)),
  );
}

interface Delivery {
  readonly pair: TokenPair;
  /** Whether the refresh token goes into a cookie. */
  readonly cookie: boolean;
}

/** Puts a pair of tokens into the body and, where the client wants it, the cookie. */
function delivery(options: AuthRoutesOptions) {
  return (request: FastifyRequest, reply: FastifyReply, { pair, cookie }: Delivery) => {
    const { accessToken, refreshToken } = pair;
    if (cookie) void reply.header("set-cookie", cookieOf(request, refreshToken, options));
    return {
      access_token: accessToken,
      token_type: "Bearer" as const,
      expires_in: Math.floor(options.accessTtlMs / 1000),
      ...(cookie ? {} : { refresh_token: refreshToken }),
      refresh_expires_in: Math.floor(options.refreshTtlMs / 1000),
    };
  };
}

/** The refresh token of a request: the body's, else the cookie's. */
function presented({ body, headers }: { body: z.output<typeof refreshRequest>; headers: FastifyRequest["headers"] }) {
  const fromCookie = body.refresh_token === undefined ? readSessionCookie(headers.cookie) : undefined;
  return { token: body.refresh_token ?? fromCookie, cookie: fromCookie !== undefined };
}

function cookieOf(request: FastifyRequest, token: string, { refreshTtlMs, secureCookies }: AuthRoutesOptions): string {
  const { url = "" } = request.routeOptions;
  const path = url.slice(0, url.lastIndexOf("/"));
  return sessionCookie(token, { path, maxAgeSeconds: Math.floor(refreshTtlMs / 1000), secure: secureCookies });
}
