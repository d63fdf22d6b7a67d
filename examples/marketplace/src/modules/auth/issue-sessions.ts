import type { Sql } from "@sluice/postgres";

import { createAccessTokens, type AccessTokenOptions } from "./access-token.ts";
import type { Session } from "./session-repository.ts";

const open = `with family as (
    insert into refresh_families (id, user_id)
    select gen_random_uuid(), id from users where id = any($1::uuid[]) returning id, user_id
  ) select u.id as "userId", f.id as "familyId", u.auth_version as "authVersion"
  from family f join users u on u.id = f.user_id`;

/**
 * Begins a session for each of the users without a log-in, for load that is to look like many people. They end with
 * their access tokens: nothing refreshes them.
 *
 * @returns access tokens by the users' ids. Whoever has no account is left out.
 */
export async function issueSessions(
  sql: Sql,
  userIds: readonly string[],
  options: AccessTokenOptions,
): Promise<ReadonlyMap<string, string>> {
  const accessTokens = createAccessTokens(options);
  const { rows } = await sql.query<Session>(open, [userIds]);
  return new Map(
    await Promise.all(rows.map(async (session) => [session.userId, await accessTokens.issue(session)] as const)),
  );
}
