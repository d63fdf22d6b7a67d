import { expect, it } from "vitest";

import { emptyDatabase, startMarketplace } from "./support/marketplace.ts";
import { me, register, send } from "./support/people.ts";

it("everybody in a crowd is themselves, and who has left is nobody", async () => {
  await using market = await startMarketplace({ databaseUrl: await emptyDatabase() });
  const people = await Promise.all(Array.from({ length: 12 }, () => register(market)));
  const [gone] = people;
  await send(market, ["POST", "/api/auth/logout-all"], { token: gone?.access_token ?? "" });
  const crowd = [...people, ...people, ...people];
  const answers = await Promise.all(crowd.map((person) => me(market, person.access_token)));
  const seen = answers.map(({ status, body }) => (status === 200 ? (body.data as { id: string }).id : status));
  expect(seen).toEqual(crowd.map((person) => (person === gone ? 401 : person.user.id)));
});
