import { chmod, mkdir, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";

import {
  findEmbeddedPostgres,
  findPostgres,
  keepPostgresTemplates,
  launchPostgres,
  launchRedis,
  throwawaySettings,
  type LaunchedPostgres,
} from "@sluice/testing/services";
import pg from "pg";
import { describe, expect, it } from "vitest";

import { ServerStartError } from "../src/services/errors.ts";
import { onPort } from "../src/services/free-port.ts";
import { describeWithLocalRedis } from "./local-redis.ts";
import {
  isAlive,
  killAfterwards,
  parentOf,
  privateFolder,
  privateTemporaryFolder,
  setEnvironment,
} from "./private-folder.ts";

const native = (await findPostgres()) ?? (await findEmbeddedPostgres())!;
const isRoot = process.getuid?.() === 0 && process.platform === "linux";

async function query({ url }: LaunchedPostgres, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

describe("a launched PostgreSQL", () => {
  it("keeps its data between launches, durably", async () => {
    const left = await privateTemporaryFolder();
    const dataFolder = path.join(await privateFolder(), "deep", "data");
    const first = await launchPostgres({ native, dataFolder });
    expect(await query(first, "select current_setting('fsync') as fsync")).toEqual([{ fsync: "on" }]);
    await query(first, "create table kept as select 42 as n");
    await first.stop();
    const second = await launchPostgres({ native, dataFolder, settings: { work_mem: "7MB" } });
    expect(await query(second, "select n, current_setting('work_mem') as mem from kept")).toEqual([
      { n: 42, mem: "7MB" },
    ]);
    await second.stop();
    expect(await left()).toEqual([]);
    expect(await readdir(path.dirname(dataFolder))).toEqual(["data"]);
  });

  it("is filled by one initdb for all of them where templates are kept, and has its own data", async () => {
    const left = await privateTemporaryFolder();
    setEnvironment({ SLUICE_POSTGRES_TEMPLATES: undefined });
    const identifier = "select system_identifier::text as id from pg_control_system()";
    const templates = await keepPostgresTemplates();
    {
      await using first = await launchPostgres({ native, settings: throwawaySettings });
      await query(first, "create table t ()");
      await using second = await launchPostgres({ native, settings: throwawaySettings });
      expect(await query(second, "select to_regclass('t') as t")).toEqual([{ t: null }]);
      expect(await query(second, identifier)).toEqual(await query(first, identifier));
    }
    await templates[Symbol.asyncDispose]();
    expect(await left()).toEqual([]);
  });

  it("recovers what it acknowledged before it was stopped in an instant", async () => {
    const dataFolder = path.join(await privateFolder(), "data");
    const first = await launchPostgres({ native, dataFolder });
    await query(first, "create table kept as select 1 as n");
    await first.stop("immediate");
    await using second = await launchPostgres({ native, dataFolder });
    expect(second.log().join("\n")).toContain("was not properly shut down");
    expect(await query(second, "select n from kept")).toEqual([{ n: 1 }]);
  });

  it("lets sessions finish when it is stopped smartly", async () => {
    const postgres = await launchPostgres({ native, settings: throwawaySettings });
    const client = new pg.Client(postgres.url);
    await client.connect();
    const stopped = postgres.stop("smart");
    await expect.poll(() => postgres.log().join("\n"), { timeout: 15_000 }).toContain("smart shutdown request");
    expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await client.end();
    await stopped;
    expect(isAlive(postgres.pid)).toBe(false);
  });

  it("is ready as a standby, too", async () => {
    const dataFolder = path.join(await privateFolder(), "data");
    await (await launchPostgres({ native, dataFolder, settings: throwawaySettings })).stop();
    await writeFile(path.join(dataFolder, "standby.signal"), "");
    await using standby = await launchPostgres({ native, dataFolder, settings: throwawaySettings });
    expect(await query(standby, "select pg_is_in_recovery() as standby")).toEqual([{ standby: true }]);
  });

  it("speaks for itself when a server does not start", async () => {
    const left = await privateTemporaryFolder();
    const failure = launchPostgres({ native, settings: { work_mem: "plenty" } });
    await expect(failure).rejects.toMatchObject({ code: "ERR_SLUICE_SERVER_START" });
    await expect(failure).rejects.toThrow('invalid value for parameter "work_mem": "plenty"');
    expect(await left()).toEqual([]);
  });

  it("does not share its data folder", async () => {
    const dataFolder = path.join(await privateFolder(), "data");
    await using first = await launchPostgres({ native, dataFolder, settings: throwawaySettings });
    await expect(launchPostgres({ native, dataFolder })).rejects.toThrow('lock file "postmaster.pid" already exists');
    expect(await query(first, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("tells when it was ended by somebody else", async () => {
    await using postgres = await launchPostgres({ native, settings: throwawaySettings });
    process.kill(postgres.pid, "SIGINT");
    await expect(postgres.exited).resolves.toBe("ended with 0");
  });

  it("refuses a folder that holds no PostgreSQL, and a port that is none", async () => {
    const folder = await privateFolder();
    await expect(launchPostgres({ native: folder })).rejects.toThrow("native must be a folder with bin/postgres");
    await expect(launchPostgres({ native, port: 70_000 })).rejects.toThrow("port must be a whole number");
  });
});

describe("a PostgreSQL launched by root", () => {
  it.runIf(isRoot)("runs as another user", async () => {
    await using postgres = await launchPostgres({ native, settings: throwawaySettings });
    expect((await stat(`/proc/${postgres.pid}`)).uid).not.toBe(0);
    expect((await stat(postgres.dataFolder)).uid).not.toBe(0);
  });

  it.runIf(isRoot)("runs from binaries that only root can reach", async () => {
    const left = await privateTemporaryFolder();
    const closed = await privateFolder();
    await symlink((await findEmbeddedPostgres())!, path.join(closed, "native"));
    await chmod(closed, 0o700);
    const postgres = await launchPostgres({ native: path.join(closed, "native"), settings: throwawaySettings });
    expect(await query(postgres, "select 1 as one")).toEqual([{ one: 1 }]);
    await postgres.stop();
    expect(await left()).toEqual([]);
  });

  it.runIf(isRoot)("names a data folder that only root can reach", async () => {
    const closed = await privateFolder();
    await chmod(closed, 0o700);
    const failure = launchPostgres({ native, dataFolder: path.join(closed, "data") });
    await expect(failure).rejects.toMatchObject({ code: "ERR_SLUICE_FOLDER_UNREACHABLE" });
  });
});

describeWithLocalRedis("a launched Redis", (binary) => {
  it("takes the port it is told, and says when that is taken", async () => {
    const left = await privateTemporaryFolder();
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as AddressInfo;
    await expect(launchRedis({ binary, port })).rejects.toThrow("Address already in use");
    await new Promise((resolve) => taken.close(resolve));
    const redis = await launchRedis({ binary, port });
    expect(redis).toMatchObject({ port, url: `redis://127.0.0.1:${port}` });
    await redis.stop();
    expect(await left()).toEqual([]);
  });

  it("keeps its files in the folder it is given", async () => {
    const dataFolder = path.join(await privateFolder(), "redis");
    const redis = await launchRedis({ binary, dataFolder, settings: { appendonly: "yes" } });
    await redis.stop();
    expect(await readdir(dataFolder)).toContain("appendonlydir");
  });

  it("goes when its keeper is killed", async () => {
    const left = await privateTemporaryFolder();
    const redis = await launchRedis({ binary });
    killAfterwards(redis.pid);
    process.kill(parentOf(redis.pid), "SIGKILL");
    await expect(redis.exited).resolves.toBe("lost its keeper");
    await expect.poll(() => isAlive(redis.pid), { timeout: 15_000 }).toBe(false);
    await expect.poll(left, { timeout: 15_000 }).toEqual([]);
    await redis.stop();
  });

  it("reports a program that cannot be run", async () => {
    const failure = launchRedis({ binary: "/nonexistent/redis-server" });
    await expect(failure).rejects.toThrow("redis-server could not be run before it was ready.");
    await expect(failure).rejects.toThrow("ENOENT");
  });
});

describe("a free port", () => {
  const taken = new ServerStartError("redis-server", "ended with 1", ["bind: Address already in use"]);

  it("is given up for another when somebody takes the port first", async () => {
    const tried: number[] = [];
    const used = await onPort(undefined, async (port) => {
      if (tried.push(port) < 3) throw taken;
      return port;
    });
    expect(used).toBe(tried[2]);
    expect(tried).toHaveLength(3);
  });

  it("is not looked for again when something else is wrong", async () => {
    let tried = 0;
    const failing = onPort(undefined, async () => {
      tried += 1;
      throw new ServerStartError("postgres", "ended with 1", ["FATAL: out of memory"]);
    });
    await expect(failing).rejects.toThrow("out of memory");
    expect(tried).toBe(1);
  });
});

describe("a search for binaries", () => {
  it("passes over a PostgreSQL on PATH that lacks its initdb", async () => {
    const folder = await privateFolder();
    await mkdir(path.join(folder, "bin"));
    await symlink(process.execPath, path.join(folder, "bin", "postgres"));
    const before = process.env["PATH"];
    process.env["PATH"] = path.join(folder, "bin");
    try {
      expect(await findPostgres()).not.toBe(folder);
    } finally {
      process.env["PATH"] = before;
      await rm(folder, { recursive: true });
    }
  });
});
