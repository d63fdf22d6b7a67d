import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, chmod } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { createTestDatabase } from "@sluice/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { withAdministrator } from "../src/infra/database.ts";
import { runMarket, runNpmStart, type MarketProcess } from "./support/process.ts";

const secret = "correct horse battery staple, and more";
const started: MarketProcess[] = [];
let data: string;
beforeAll(async () => {
  data = await mkdtemp(path.join(tmpdir(), "marketplace-"));
  await chmod(data, 0o755);
});
afterAll(async () => {
  for (const one of started) {
    if (isAlive(one.pid)) one.signal("SIGTERM");
    await one.ended;
  }
  await rm(data, { recursive: true, force: true, maxRetries: 5 });
});

function market(args: readonly string[], environment: Readonly<Record<string, string>>): MarketProcess {
  const one = runMarket(args, environment);
  started.push(one);
  return one;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function postJson(url: string, body: string): Promise<number> {
  return (await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body })).status;
}

async function firstProduct(url: string): Promise<string> {
  const reply = await fetch(`${url}/api/products?limit=1`);
  const body = (await reply.json()) as { data: { id: string }[] };
  return body.data[0]?.id ?? "none";
}

async function postmaster(slot: number): Promise<number> {
  return Number((await readFile(path.join(data, String(slot), "data", "postmaster.pid"), "utf8")).split("\n")[0]);
}

describe("a start in production", () => {
  it("is refused with the names of what is missing, and no stack", async () => {
    const one = market(["web"], { NODE_ENV: "production", PORT: "http", REDIS_URL: "redis://:hunter2@" });
    expect(await one.ended).toBe(1);
    for (const name of ["DATABASE_URL", "SECRET_KEY", "PORT", "REDIS_URL"]) expect(one.logged()).toContain(name);
    expect(one.logged()).not.toMatch(/^ +at |hunter2/m);
  });

  it("is refused when the database refuses", async () => {
    const environment = {
      NODE_ENV: "production",
      DATABASE_URL: "postgres://app:hunter2@127.0.0.1:1/shop",
      SECRET_KEY: secret,
    };
    const one = market(["web"], { ...environment, DB_POOL_TIMEOUT_MS: "300" });
    expect(await one.ended).toBe(1);
    expect(one.logged()).toContain("ECONNREFUSED");
    expect(one.logged()).not.toMatch(/^ +at |hunter2/m);
  });

  it("is refused when its port is taken", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => squatter.once("listening", resolve));
    const port = String((squatter.address() as AddressInfo).port);
    const one = market(["web"], { DATABASE_URL: await createTestDatabase(), PORT: port, SEED_SIZE: "none" });
    expect(await one.ended).toBe(1);
    expect(one.logged()).toContain(`PORT: ${port} is taken`);
    squatter.close();
  });

  it("prints its configuration, and what it does not know how to do", async () => {
    const shown = market(["config", "--print"], { DATABASE_URL: "postgres://app:hunter2@db/shop" });
    expect(await shown.ended).toBe(0);
    expect(shown.printed()).toMatch(/DATABASE_URL +postgres:\/\/\*\*\*@db\/shop/);
    const unknown = market(["dance"], {});
    expect([await unknown.ended, unknown.logged()]).toEqual([1, expect.stringContaining("Usage")]);
  });
});

describe("four starts on one empty database", () => {
  it("migrate once, seed once, all serve, and stop in order", async () => {
    const environment = { DATABASE_URL: await createTestDatabase(), SHUTDOWN_DELAY_MS: "300" };
    const four = ["web", "web", "worker", "cron"].map((role) => market([role], environment));
    const urls = await Promise.all(four.map((one) => one.listening()));
    expect(new Set(urls).size).toBe(4);
    for (const url of urls) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const printed = four.map((one) => one.printed()).join("");
    expect(printed.match(/Migrated: 0001_catalog/g)).toHaveLength(1);
    expect(printed.match(/Seeded, size S/g)).toHaveLength(1);
    const rows = await withAdministrator(environment.DATABASE_URL, async (database) => {
      const counts =
        "select (select count(*) from listings)::integer as listings, (select count(*) from users)::integer as users";
      return (await database.query(counts)).rows[0];
    });
    expect(rows).toEqual({ listings: 1000, users: 200 });

    for (const one of four) one.signal("SIGTERM");
    const ready = async () => (await fetch(`${urls[0]}/health/ready`)).status;
    await expect.poll(ready, { interval: 10 }).toBe(503);
    expect((await fetch(`${urls[0]}/api/products`)).status).toBe(200);
    expect(await Promise.all(four.map((one) => one.ended))).toEqual([0, 0, 0, 0]);
    for (const one of four) {
      for (const line of one.logged().trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("message");
    }
  }, 40_000);
});

describe("the embedded PostgreSQL", () => {
  it("keeps its data through Ctrl-C, SIGTERM, SIGHUP and kill -9, and gives a second start its own", async () => {
    const environment = { MARKETPLACE_DATA: data };
    const first = market([], environment);
    const url = await first.listening();
    const product = await firstProduct(url);
    await expect.poll(() => first.printed()).toContain(`Data is in ${path.join(data, "1")}`);
    for (const [line] of first.printed().matchAll(/(?<=curl ')[^']+/g)) expect((await fetch(line)).status).toBe(200);
    const logins = [...first.printed().matchAll(/curl --json '([^']+)' (\S+)/g)];
    const loggedIn = await Promise.all(logins.map(([, body = "", to = ""]) => postJson(to, body)));
    expect(loggedIn).toEqual([200, 200]);

    const second = market(["web"], environment);
    const secondUrl = await second.listening();
    await expect.poll(() => second.printed()).toContain(`Data is in ${path.join(data, "2")}`);
    expect(second.printed()).toContain(`Another start is running (${first.pid})`);
    expect(secondUrl).not.toBe(url);
    second.signal("SIGHUP");
    expect(await second.ended).toBe(0);

    first.signal("SIGINT");
    expect(await first.ended).toBe(0);
    const third = market(["web"], environment);
    expect(await firstProduct(await third.listening())).toBe(product);
    expect(third.printed()).not.toContain("Seeded");

    const server = await postmaster(1);
    third.signal("SIGKILL");
    expect(await third.ended).toBe("SIGKILL");
    const fourth = market(["web"], environment);
    expect(await firstProduct(await fourth.listening())).toBe(product);
    await expect.poll(() => fourth.printed()).toContain(`Data is in ${path.join(data, "1")}`);
    expect(isAlive(server)).toBe(false);
    fourth.signal("SIGTERM");
    expect(await fourth.ended).toBe(0);
  }, 60_000);

  it.runIf(process.platform === "linux")(
    "takes over from a server whose keepers were all killed",
    async () => {
      const one = market(["web"], { MARKETPLACE_DATA: data, SEED_SIZE: "none" });
      await one.listening();
      const orphan = await postmaster(1);
      const keeper = Number(execFileSync("ps", ["-o", "ppid=", "-p", String(orphan)]));
      // Stopped, it cannot end the server when the process that it watches is gone.
      process.kill(keeper, "SIGSTOP");
      one.signal("SIGKILL");
      await one.ended;
      process.kill(keeper, "SIGKILL");
      const two = market(["web"], { MARKETPLACE_DATA: data, SEED_SIZE: "none" });
      await two.listening();
      expect(two.printed()).toContain(`Stopped the PostgreSQL that a killed start had left (${orphan})`);
      expect(isAlive(orphan)).toBe(false);
      two.signal("SIGTERM");
      expect(await two.ended).toBe(0);
    },
    40_000,
  );

  it("ends at once on the second signal", async () => {
    const one = market(["web"], { MARKETPLACE_DATA: data, SHUTDOWN_DELAY_MS: "20000" });
    await one.listening();
    one.signal("SIGINT");
    await expect.poll(() => one.logged()).toContain("Shutting down");
    let code: number | string | undefined;
    void one.ended.then((how) => (code = how));
    const nag = (): unknown => {
      if (code === undefined) one.signal("SIGINT");
      return code;
    };
    // Within a second of the first, a signal is an echo of it.
    await expect.poll(nag, { timeout: 5000, interval: 100 }).toBe(1);
  }, 30_000);

  it("takes one signal that comes twice for one", async () => {
    const one = market(["web"], { MARKETPLACE_DATA: data, SHUTDOWN_DELAY_MS: "200" });
    await one.listening();
    one.signal("SIGTERM");
    await expect.poll(() => one.logged(), { interval: 5 }).toContain("Shutting down");
    one.signal("SIGTERM");
    expect(await one.ended).toBe(0);
  }, 30_000);

  it("stops in order when a signal reaches npm, its children and everything else of its group", async () => {
    const one = runNpmStart(["web"], { MARKETPLACE_DATA: data, SEED_SIZE: "none" });
    started.push(one);
    const url = await one.listening();
    await expect.poll(() => one.printed()).toContain(`Data is in ${path.join(data, "1")}`);
    const server = await postmaster(1);
    expect(await firstProduct(url)).not.toBe("");
    one.signal("SIGTERM");
    // npm itself dies of it; what matters is what it has started.
    await one.ended;
    expect(one.logged()).toContain('"Shut down"');
    expect(one.logged()).not.toContain('"level":"error"');
    expect(isAlive(server)).toBe(false);
  }, 30_000);
});
