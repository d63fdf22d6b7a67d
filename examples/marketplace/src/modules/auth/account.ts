import { z } from "zod";

import { textParameter } from "../../http/parameters.ts";
import { emailAddress } from "./email-address.ts";
import { newPassword, typedPassword } from "./password.ts";

const transport = z
  .boolean()
  .default(false)
  .describe("Send the refresh token as an HttpOnly cookie, and not in the body");

/** What registering takes. Nobody registers as anything but a user: other fields are refused, not ignored. */
export const registration = z.strictObject({
  email: emailAddress,
  password: newPassword,
  name: textParameter(200),
  phone: textParameter(32).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "must be two capital letters")
    .optional(),
  city: textParameter(64).optional(),
  use_cookie: transport,
});

/** What logging in takes. */
export const login = z.strictObject({ email: emailAddress, password: typedPassword, use_cookie: transport });

/** What refreshing and logging out take: a refresh token, or nothing where the cookie has it. */
export const refreshRequest = z.strictObject({ refresh_token: z.string().min(1).max(512).optional() });

/** An account, as its owner sees it. */
export const account = z.object({
  id: z.uuid(),
  email: z.string(),
  name: z.string(),
  role: z.enum(["user", "admin"]),
  seller: z.object({ id: z.uuid(), name: z.string() }).nullable().describe("The account's shop, where it has one"),
  created_at: z.string(),
});

/** The tokens of a session. Times in seconds, as in RFC 6749. */
export const tokens = z.object({
  access_token: z.string().describe("For `Authorization: Bearer`"),
  token_type: z.literal("Bearer"),
  expires_in: z.int(),
  refresh_token: z.string().optional().describe("For one refresh; left out where a cookie has it"),
  refresh_expires_in: z.int(),
});

/** Tokens, and whose. */
export const session = tokens.extend({ user: account });

/** What registering takes, checked and normalised. */
export type Registration = z.output<typeof registration>;

/** What logging in takes, checked and normalised. */
export type Login = z.output<typeof login>;

/** An account, as its owner sees it. */
export type Account = z.output<typeof account>;
