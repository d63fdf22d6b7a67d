import { PostgresUnknownError } from "./connect-errors.ts";
import { sqlFailure, sqlState } from "./failure.ts";
import {
  positionIn,
  roleOf,
  roleOfError,
  rolesAlone,
  rolesWithPosition,
  type Finding,
  type RoleRow,
} from "./finding.ts";
import { clientConfig, isPoolerRefusal, type HostPlan } from "./host-plan.ts";
import { WatchedClient } from "./watched-client.ts";

/** Asks one host what it is, on a connection of its own, so that a busy pool does not look like a dead host. */
export interface Probe {
  /** Whether a pooler in transaction mode is in between. Known after the first answer. */
  readonly behindPooler: boolean;
  /** Never rejects. Takes no longer than the connect timeout. One round trip, on a connection that is there. */
  ask(): Promise<Finding>;
  /** Ends the connection until it is needed again. */
  rest(): void;
  /** Ends it for good, whether the server hears it or not. */
  close(): void;
}

/** A probe without a connection. */
export function createProbe(plan: HostPlan): Probe {
  const { name: host, clock, connectTimeoutMs } = plan;
  const clients = new Set<WatchedClient>();
  const opener = createOpener(plan, clients);
  let client: WatchedClient | undefined;

  async function askOnce(): Promise<RoleRow> {
    client ??= await opener.open();
    try {
      return await roleRow(client);
    } catch (error) {
      client?.destroy(new Error("No answer"));
      client = undefined;
      throw error;
    }
  }

  /** A connection that has been idle may be from before a restart, which says nothing about the host. */
  async function askTwice(): Promise<RoleRow> {
    const isOld = client !== undefined;
    try {
      return await askOnce();
    } catch (error) {
      if (!isOld || error instanceof PostgresUnknownError) throw error;
      return askOnce();
    }
  }

  return {
    get behindPooler() {
      return opener.behindPooler;
    },
    async ask() {
      const askedMs = clock.monotonic();
      const timer = clock.schedule(connectTimeoutMs, () => {
        for (const each of clients) each.destroy(new PostgresUnknownError("deadline", host));
      });
      try {
        const row = await askTwice();
        const position = positionIn(row);
        return { host, askedMs, role: roleOf(row), ...(position ? { position } : {}) };
      } catch (error) {
        return { host, askedMs, role: roleOfError(error), error };
      } finally {
        timer.cancel();
      }
    },
    rest() {
      void client?.end().catch(() => undefined);
      client = undefined;
    },
    close() {
      for (const each of clients) each.destroy(new PostgresUnknownError("closed", host));
    },
  };
}

/** Opens connections, and finds out what a pooler in between refuses. */
function createOpener(plan: HostPlan, clients: Set<WatchedClient>) {
  let behindPooler = false;
  async function open(): Promise<WatchedClient> {
    const client = new WatchedClient(clientConfig(plan, behindPooler), { ...plan, clients });
    try {
      await client.connect();
      return client;
    } catch (error) {
      client.destroy(new Error("No connection"));
      if (behindPooler || !isPoolerRefusal(error)) throw error;
      behindPooler = true;
      return open();
    }
  }
  return {
    open,
    get behindPooler() {
      return behindPooler;
    },
  };
}

async function roleRow(client: WatchedClient): Promise<RoleRow> {
  try {
    return await firstRow(client, rolesWithPosition);
  } catch (error) {
    if (client.doom || sqlState(error) === undefined || sqlFailure(error) === "unavailable") throw client.doom ?? error;
    // It does not tell everybody how far its log has come, or is being promoted at this moment.
    return firstRow(client, rolesAlone);
  }
}

async function firstRow(client: WatchedClient, text: string): Promise<RoleRow> {
  const { rows } = await client.query<RoleRow>(text);
  const [row] = rows;
  if (!row) throw new Error("The server answered no row");
  return row;
}
