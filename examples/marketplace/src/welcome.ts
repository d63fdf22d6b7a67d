import type { Sql } from "@sluice/postgres";

import { developmentPassword, type AuthConfig } from "./config/auth-config.ts";
import type { Role } from "./config/config.ts";

/** What has started, and where. */
export interface Started {
  readonly role: Role;
  readonly url: string;
  /** Where the data are, in the words of a person. */
  readonly place: string;
  readonly auth: AuthConfig;
}

/** What the person at the terminal may do next. */
export async function welcome(sql: Sql, { role, url, place, auth }: Started): Promise<string[]> {
  const lines = ["", `Marketplace (${role}) on ${url}`, `Data is in ${place}`];
  if (role !== "all" && role !== "web") return [...lines, ""];
  const { rows } = await sql.query<{ id: string }>(
    "select id from listings where status = 'approved' order by created_at desc, id desc limit 1",
  );
  return [
    ...lines,
    `API documentation on ${url}/docs`,
    "",
    "Try:",
    `  curl '${url}/api/products?category=phones&sort=price&order=asc&limit=3'`,
    `  curl '${url}/api/public/listings/search?q=solar+panel&limit=3'`,
    `  curl '${url}/api/listings/${rows[0]?.id ?? "00000000-0000-8000-8000-000000000000"}'`,
    ...(await logins(sql, url, auth)),
    "",
  ];
}

async function logins(sql: Sql, url: string, { admin, seedPassword }: AuthConfig): Promise<string[]> {
  const { rows } = await sql.query<{ email: string }>(
    "select u.email from sellers s join users u on u.id = s.user_id order by s.created_at, s.id limit 1",
  );
  const seller = rows[0]?.email;
  const lines: string[] = [];
  if (admin !== undefined) lines.push(login(url, admin.email, shown(admin.password, "ADMIN_PASSWORD")));
  if (seller !== undefined && seedPassword !== undefined) {
    lines.push(login(url, seller, shown(seedPassword, "SEED_PASSWORD")));
  }
  return lines.length === 0 ? [] : ["", "Log in, as administrator and as a seller:", ...lines];
}

function login(url: string, email: string, password: string): string {
  return `  curl --json '${JSON.stringify({ email, password })}' ${url}/api/auth/login`;
}

/** A password that somebody has chosen is not printed. */
function shown(password: string, variable: string): string {
  return password === developmentPassword ? password : `<${variable}>`;
}
