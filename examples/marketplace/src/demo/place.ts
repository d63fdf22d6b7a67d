import { systemRandom } from "@sluice/core";
import { findEmbeddedPostgres, findPostgres, launchPostgres } from "@sluice/testing/services";

import { withAdministrator } from "../infra/database.ts";

/** A fresh database for one demonstration. */
export interface Place extends AsyncDisposable {
  readonly url: string;
  /** As the person at the terminal should read it. */
  readonly name: string;
}

/**
 * A database that nobody has used: of the server that is given, where it is dropped in the end, else of a PostgreSQL of
 * one's own, whose data are in a private folder that is removed in the end.
 */
export async function openPlace(serverUrl: string | undefined): Promise<Place> {
  return serverUrl === undefined ? ownServer() : ownDatabase(serverUrl);
}

async function ownServer(): Promise<Place> {
  const native = (await findEmbeddedPostgres()) ?? (await findPostgres());
  if (native === undefined) throw new Error("There is no PostgreSQL here for this platform: set DATABASE_URL");
  // Its own settings are durable: what is accepted is on disk.
  const server = await launchPostgres({ native, settings: { max_connections: 100 } });
  return {
    url: server.url,
    name: `a PostgreSQL of its own, in ${server.dataFolder}`,
    [Symbol.asyncDispose]: server.stop,
  };
}

async function ownDatabase(serverUrl: string): Promise<Place> {
  const name = `flash_sale_${Buffer.from(systemRandom.bytes(6)).toString("hex")}`;
  const run = (sql: string): Promise<unknown> => withAdministrator(serverUrl, (database) => database.query(sql));
  await run(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name: `a database of its own, ${name}, on the server of DATABASE_URL`,
    [Symbol.asyncDispose]: async () => void (await run(`drop database ${name} with (force)`)),
  };
}
