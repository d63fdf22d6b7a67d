import { type ChildProcess, spawn } from "node:child_process";
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

/** A PgBouncer in transaction mode. */
export interface PgBouncer extends AsyncDisposable {
  /** Of the database behind it. */
  readonly url: string;
}

/** Runs PgBouncer in transaction mode before a database, with a few server connections for many clients. */
export async function startPgBouncer(file: string, databaseUrl: string, poolSize: number): Promise<PgBouncer> {
  const folder = await mkdtemp(path.join(tmpdir(), "sluice-pgbouncer-"));
  const user = await unprivileged();
  const target = new URL(databaseUrl);
  const port = await freePort();
  const name = target.pathname.slice(1);
  const login = target.password === "" ? "" : ` password=${decodeURIComponent(target.password)}`;
  const configuration = path.join(folder, "pgbouncer.ini");
  await writeFile(
    configuration,
    `[databases]
${name} = host=${target.hostname} port=${target.port || "5432"} dbname=${name} user=${target.username}${login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 200
server_login_retry = 1
`,
  );
  if (user) for (const each of [folder, configuration]) await chown(each, user.uid, user.gid);
  await chmod(configuration, 0o600);
  const child = spawn(file, [configuration], { cwd: "/", ...user, stdio: ["ignore", "ignore", "pipe"] });
  await saidOf(child, /process up/);
  return {
    url: `postgres://${target.username}@127.0.0.1:${port}/${name}`,
    async [Symbol.asyncDispose]() {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.kill("SIGKILL")) await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function saidOf(child: ChildProcess, words: RegExp): Promise<void> {
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`PgBouncer ended: ${said}`)));
    child.stderr?.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      if (words.test(said)) resolve();
    });
  });
}

/** It refuses to run as root. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const line = (await readFile("/etc/passwd", "utf8")).split("\n").find((each) => each.startsWith("nobody:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
