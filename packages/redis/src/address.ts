import { InvalidArgumentError } from "@sluice/core";

/** A host and its port. */
export interface Address {
  /** Name or IP address, IPv6 without brackets. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
}

/** Where to connect to, and as whom. Give one of `url`, `sentinels` and `cluster`. */
export interface AddressOptions {
  /**
   * `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS,
   * `redis+sentinel://[user:password@]host:port,host:port/name[/db]` or
   * `redis+cluster://[user:password@]host:port,host:port`.
   */
  readonly url?: string;
  /** The Sentinels that know the master. */
  readonly sentinels?: readonly Address[];
  /** The name of the master at the Sentinels. Default `"mymaster"`. */
  readonly name?: string;
  /** Some nodes of a Cluster. */
  readonly cluster?: readonly Address[];
  /** User of the server. */
  readonly username?: string;
  /** Password of the server. Never in errors or events. */
  readonly password?: string;
  /** Password of the Sentinels, if they have one. */
  readonly sentinelPassword?: string;
  /** Number of the database. Default 0. */
  readonly db?: number;
}

/** Where the options say to connect to. */
export interface Target {
  readonly kind: "server" | "sentinel" | "cluster";
  readonly addresses: readonly Address[];
  readonly name: string;
  readonly db: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelPassword: string | undefined;
}

const schemes = {
  redis: { kind: "server", tls: false, port: 6379 },
  rediss: { kind: "server", tls: true, port: 6379 },
  "redis+sentinel": { kind: "sentinel", tls: false, port: 26_379 },
  "redis+cluster": { kind: "cluster", tls: false, port: 6379 },
} as const;

/**
 * Where the options say to connect to. Options beside the URL win over what it says.
 *
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the part of the URL that is wrong, never showing it.
 */
export function addressOf(options: AddressOptions): Target {
  const { url, sentinels, cluster } = options;
  const given = [url, sentinels, cluster].filter((each) => each !== undefined).length;
  if (given !== 1) throw new InvalidArgumentError("target", "exactly one of url, sentinels and cluster", given);
  const parsed = url === undefined ? listed(sentinels, cluster) : parsedUrl(url);
  return checked({
    ...parsed,
    name: options.name ?? parsed.name,
    db: options.db ?? parsed.db,
    username: options.username ?? parsed.username,
    password: options.password ?? parsed.password,
    sentinelPassword: options.sentinelPassword,
  });
}

/** What a caller without types may get wrong, and a client would find out late, or never. */
function checked(target: Target): Target {
  const { kind, addresses, name, db } = target;
  if (addresses.length === 0) throw new InvalidArgumentError("target", "at least one address", 0);
  for (const { host, port } of addresses) {
    demand(isText(host) && host !== "", "host", "a name or an address", host);
    demand(isWhole(port, 1, 65_535), "port", "a whole number from 1 to 65535", port);
  }
  // It has no other, and ioredis would use that one without a word.
  if (kind === "cluster") demand(db === 0, "db", "0 on a Cluster", db);
  demand(isWhole(db, 0, Infinity), "db", "a whole number, at least 0", db);
  demand(isText(name), "name", "a string", name);
  for (const argument of ["username", "password", "sentinelPassword"] as const) {
    const value: unknown = target[argument];
    demand(value === undefined || isText(value), argument, "a string", "(not shown)");
  }
  return target;
}

function demand(
  holds: boolean,
  ...[argument, expected, value]: ConstructorParameters<typeof InvalidArgumentError>
): void {
  if (!holds) throw new InvalidArgumentError(argument, expected, value);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

type Parsed = Omit<Target, "sentinelPassword">;

const nobody = { username: undefined, password: undefined };

function listed(sentinels: readonly Address[] | undefined, cluster: readonly Address[] | undefined): Parsed {
  const kind = sentinels ? "sentinel" : "cluster";
  return { kind, addresses: sentinels ?? cluster ?? [], name: "mymaster", db: 0, tls: false, ...nobody };
}

// The hosts of a list have no place in a WHATWG URL, hence a pattern. The password may hold anything but "@" and "/".
const pattern = /^([a-z+]+):\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/;

function parsedUrl(url: string): Parsed {
  const [, scheme = "", user, hosts = "", path = ""] = pattern.exec(url) ?? wrong("of the form scheme://host:port/db");
  if (!Object.hasOwn(schemes, scheme)) wrong(`of the scheme ${Object.keys(schemes).join(", ")}`);
  const { kind, tls, port } = schemes[scheme as keyof typeof schemes];
  const addresses = hosts.split(",").map((host) => hostAndPort(host, port));
  if (kind === "server" && addresses.length > 1) wrong("of one host; lists are for redis+sentinel and redis+cluster");
  return { kind, tls, addresses, ...places(path, kind === "sentinel"), ...credentials(user) };
}

/** `name/db` behind Sentinels, else `db`. */
function places(path: string, isNamed: boolean): Pick<Target, "name" | "db"> {
  const segments = path.split("/").filter((segment) => segment !== "");
  const name = (isNamed ? segments.shift() : undefined) ?? "mymaster";
  const db = Number(segments.shift() ?? 0);
  if (!Number.isSafeInteger(db) || db < 0 || segments.length > 0) wrong("with the number of a database as its path");
  return { name, db };
}

function credentials(user: string | undefined): Pick<Target, "username" | "password"> {
  if (user === undefined || user === "") return nobody;
  const colon = user.indexOf(":");
  const [name, secret] = colon < 0 ? [user, ""] : [user.slice(0, colon), user.slice(colon + 1)];
  return { username: decoded(name), password: decoded(secret) };
}

function decoded(text: string): string | undefined {
  if (text === "") return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return wrong("with user and password in percent-encoding");
  }
}

function hostAndPort(text: string, defaultPort: number): Address {
  const [, v6, name, port] =
    /^(?:\[([^\]\s]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text) ?? wrong("with hosts as host:port");
  return { host: v6 ?? name ?? "", port: port === undefined ? defaultPort : Number(port) };
}

function wrong(expected: string): never {
  // The URL itself may hold a password.
  throw new InvalidArgumentError("url", expected, "(not shown)");
}
