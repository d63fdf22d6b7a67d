import { InvalidArgumentError } from "@sluice/core";

/** One server, and how to reach it. */
export interface HostAddress {
  /** Host and port, without user and password: fit for events and errors. */
  readonly name: string;
  /** The URL for `pg`, with one host. It may hold a password. */
  readonly url: string;
}

const pattern = /^(postgres(?:ql)?:\/\/)((?:[^@/?#]*@)?)([^@/?#]*)(.*)$/;

/**
 * The servers that URLs name, in their order, each once. A URL may name several, as `libpq` has it:
 * `postgres://user@one:5432,two:5432/shop`. What `libpq` calls `target_session_attrs` is found out anyway, and left
 * out.
 *
 * @param argument - How the caller spells it.
 * @throws `ERR_SLUICE_INVALID_ARGUMENT` naming the argument, never showing a URL.
 */
export function hostAddresses(argument: string, urls: string | readonly string[]): HostAddress[] {
  const list = typeof urls === "string" ? [urls] : urls;
  if (!Array.isArray(list)) throw new InvalidArgumentError(argument, "a URL or a list of URLs", list);
  const addresses = list.flatMap((url) => {
    const [, scheme = "", user = "", hosts = "", rest = ""] = pattern.exec(url) ?? refuse(argument);
    return hosts.split(",").map((host) => addressOf(argument, { host, url: `${scheme}${user}${host}${rest}` }));
  });
  if (addresses.length === 0) throw new InvalidArgumentError(argument, "at least one URL", addresses);
  return [...new Map(addresses.map((address) => [address.name, address])).values()];
}

function addressOf(argument: string, { host, url }: { host: string; url: string }): HostAddress {
  // A socket folder stands in the query: `postgres:///shop?host=/run/postgresql`.
  const parsed = host === "" ? parse(url.replace("://", "://localhost")) : parse(url);
  if (!parsed) return refuse(argument);
  const elsewhere = parsed.searchParams.get("host") ?? undefined;
  const name = `${elsewhere ?? parsed.hostname}:${parsed.searchParams.get("port") ?? (parsed.port || "5432")}`;
  return { name, url: url.replace(/([?&])target_session_attrs=[^&#]*&?/, "$1").replace(/[?&]$/, "") };
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

function refuse(argument: string): never {
  throw new InvalidArgumentError(argument, "of the form postgres://user:password@host:port/database", "(not shown)");
}
