/** A server that tests can use. */
export type ServiceName = "postgres" | "redis";

/**
 * Where a server comes from: `url` is one that was given, `docker` a container, `local` a private process of the
 * binaries on this machine, `npm` what npm packages bring.
 */
export type Origin = "url" | "docker" | "local" | "npm";

/** What a test may know about a running server. Survives a structured clone. */
export interface ServiceFacts {
  /** Which of the two. */
  readonly name: ServiceName;
  /** Connection string. It may hold a password: never print it. */
  readonly url: string;
  /** As the server itself reports it, such as `"15.18"`. */
  readonly version: string;
  /** The step that provided it. */
  readonly origin: Origin;
  /** Whether this is the genuine server. `false` for the Redis of the origin `npm`, which speaks a subset. */
  readonly real: boolean;
  /** Steps that were tried before this one, and why each could not serve. */
  readonly passed: readonly string[];
}

/** A running server. */
export interface Service extends ServiceFacts, AsyncDisposable {
  /** Process id, where this process started the server itself. */
  readonly pid?: number;
  /** Ends the server and removes what it left on disk. Does nothing for a server that was given. Idempotent. */
  stop(): Promise<void>;
}
