// Requests per second of each framework with a guard that passes, against the same framework without one. Each server
// is a process of its own, so that it is compiled for what it does; the client pipelines on raw sockets, which costs it
// little. Also printed: a guard that holds a reply of 1 KiB.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

import { serve } from "@hono/node-server";
import * as onExpress from "@sluice/express";
import * as onFastify from "@sluice/fastify";
import * as onHono from "@sluice/hono";
import type { HttpGuard } from "@sluice/http";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";

import { median } from "./support/interleaved.ts";

const frameworks = ["express", "fastify", "hono"] as const;
type FrameworkName = (typeof frameworks)[number];
const variants = ["bare", "passing", "holding"] as const;
type Variant = (typeof variants)[number];
type Ports = Readonly<Record<Variant, number>>;

const page = { items: Array.from({ length: 36 }, (_, id) => ({ id, name: `item ${id}` })) };
const headers = { ratelimit: '"browse";r=119', "ratelimit-policy": '"browse";q=120;w=60' };

const guards: Readonly<Record<Variant, HttpGuard | undefined>> = {
  bare: undefined,
  passing: {
    name: "passing",
    stage: "address",
    needs: { requestBody: false, reply: "nothing" },
    before: () => ({ pass: true, headers }),
  },
  holding: {
    name: "holding",
    stage: "address",
    needs: { requestBody: false, reply: "body" },
    before: () => Promise.resolve({ pass: true, settle: async () => ({ headers: { etag: '"1"' } }) }),
  },
};

/** A route with a parameter behind one piece of middleware, as the smallest real application has. */
const servers: Readonly<Record<FrameworkName, (guard: HttpGuard | undefined) => Promise<Server>>> = {
  async express(guard) {
    const app = express();
    if (guard) app.use(onExpress.guard(guard));
    app.use((incoming, response, next) => {
      response.locals["user"] = incoming.headers.authorization;
      next();
    });
    app.get("/pages/:number", (_incoming, response) => void response.json(page));
    return app.listen(0, "127.0.0.1");
  },
  async fastify(guard) {
    const app = fastify();
    if (guard) await app.register(onFastify.sluice, { guards: [guard] });
    app.decorateRequest("user", undefined);
    app.addHook("onRequest", (incoming, _reply, done) => {
      incoming.setDecorator("user", incoming.headers.authorization);
      done();
    });
    app.get("/pages/:number", () => page);
    await app.listen({ port: 0, host: "127.0.0.1" });
    return app.server;
  },
  async hono(guard) {
    const app = new Hono<{ Variables: { user: string | undefined } }>();
    if (guard) app.use(onHono.guard(guard));
    app.use((c, next) => {
      c.set("user", c.req.header("authorization"));
      return next();
    });
    app.get("/pages/:number", (c) => c.json(page));
    return serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
  },
};

async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, "listening");
  // A connection waits while the others have their turn.
  server.keepAliveTimeout = 0;
  return (server.address() as AddressInfo).port;
}

const connections = 8;
const pipelined = 8;
const request = Buffer.from("GET /pages/7 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");

/** Sockets to one server, each with requests in flight while it is driven. */
class Load {
  readonly #sockets: readonly Socket[];
  readonly #responseBytes: number;
  #received = 0;
  #onDrained: (() => void) | undefined;
  #sent = 0;
  #untilMs = 0;

  private constructor(sockets: readonly Socket[], responseBytes: number) {
    this.#sockets = sockets;
    this.#responseBytes = responseBytes;
    for (const socket of sockets) this.#drive(socket);
  }

  static async open(port: number): Promise<Load> {
    const sockets = await Promise.all(
      Array.from({ length: connections }, async () => {
        const socket = connect({ port, host: "127.0.0.1", noDelay: true });
        await once(socket, "connect");
        return socket;
      }),
    );
    const [first] = sockets;
    if (!first) throw new Error("There is no connection.");
    first.write(request);
    // All responses are of one length: ids and dates are.
    const [response] = (await once(first, "data")) as [Buffer];
    if (!response.includes("200 OK")) throw new Error(`Not a reply: ${response.toString()}`);
    return new Load(sockets, response.length);
  }

  /** Requests per second, over about `ms`. */
  async rate(ms: number): Promise<number> {
    const startedMs = performance.now();
    this.#untilMs = startedMs + ms;
    this.#received = 0;
    this.#sent = 0;
    const drained = Promise.withResolvers<void>();
    this.#onDrained = drained.resolve;
    const burst = Buffer.concat(Array.from({ length: pipelined }, () => request));
    for (const socket of this.#sockets) {
      this.#sent += pipelined;
      socket.write(burst);
    }
    await drained.promise;
    return this.#sent / ((performance.now() - startedMs) / 1000);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #drive(socket: Socket): void {
    let pending = 0;
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.length;
      pending += chunk.length;
      const answered = Math.floor(pending / this.#responseBytes);
      pending -= answered * this.#responseBytes;
      if (answered > 0 && performance.now() < this.#untilMs) {
        this.#sent += answered;
        socket.write(answered === 1 ? request : Buffer.concat(Array.from({ length: answered }, () => request)));
      }
      if (this.#received === this.#sent * this.#responseBytes) this.#onDrained?.();
    });
  }
}

type Rates = Readonly<Record<Variant, number[]>>;

async function measure(ports: Ports, { rounds, roundMs }: { rounds: number; roundMs: number }): Promise<Rates> {
  const loads = {
    bare: await Load.open(ports.bare),
    passing: await Load.open(ports.passing),
    holding: await Load.open(ports.holding),
  };
  for (let warmUp = 0; warmUp < 3; warmUp += 1) for (const variant of variants) await loads[variant].rate(300);
  const rates: Rates = { bare: [], passing: [], holding: [] };
  for (let round = 0; round < rounds; round += 1) {
    // Whoever comes first in one round comes last in the next.
    const order = round % 2 === 0 ? variants : variants.toReversed();
    for (const variant of order) rates[variant].push(await loads[variant].rate(roundMs));
  }
  for (const load of Object.values(loads)) load.close();
  return rates;
}

/** The median of the ratios of each round: what else the machine does hits both sides alike. */
function ratio({ bare, ...others }: Rates, variant: "passing" | "holding"): number {
  return Number(median(others[variant].map((rate, round) => rate / (bare[round] ?? Number.NaN))).toFixed(3));
}

async function serveOne(framework: FrameworkName, variant: Variant): Promise<void> {
  process.send?.(await portOf(await servers[framework](guards[variant])));
  // Ends with the process that it serves.
  process.on("disconnect", () => process.exit());
}

/** A process that serves one variant, and its port. */
async function start(framework: FrameworkName, variant: Variant): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(import.meta.filename, ["--serve", framework, variant]);
  const [port] = (await once(child, "message")) as [number];
  return { child, port };
}

async function compare(): Promise<void> {
  const quick = process.argv.includes("--quick");
  const extent = quick ? { rounds: 15, roundMs: 60 } : { rounds: 41, roundMs: 200 };
  const ours: Record<string, number> = {};
  const limit: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  for (const framework of frameworks) {
    const started = await Promise.all(variants.map((variant) => start(framework, variant)));
    const [bare = 0, passing = 0, holding = 0] = started.map(({ port }) => port);
    const rates = await measure({ bare, passing, holding }, extent);
    for (const { child } of started) child.disconnect();
    ours[framework] = Math.round(median(rates.passing));
    limit[framework] = Math.round(median(rates.bare));
    ratios[framework] = ratio(rates, "passing");
    console.log(
      `${framework}: holding 1 KiB ${Math.round(median(rates.holding))}/s, ${ratio(rates, "holding")} of the bare framework`,
    );
  }
  if (quick) console.log(`quick: ${extent.rounds} rounds of ${extent.roundMs} ms each`);
  console.log(JSON.stringify({ bench: "adapter-overhead", ours, limit, peers: {}, ratios }));
}

const [role, ...names] = process.argv.slice(2);
const framework = frameworks.find((name) => name === names[0]);
const variant = variants.find((name) => name === names[1]);
await (role === "--serve" && framework && variant ? serveOne(framework, variant) : compare());
