import type { Chooser } from "./chooser.ts";
import type { Environment } from "./environment.ts";

/** How people log in. Units: ms, unless the name says otherwise. */
export type AuthConfig = ReturnType<typeof authConfig>;

/** For the embedded PostgreSQL alone, which only this machine reaches. It may be printed. */
export const developmentPassword = "sluice-marketplace";
const developmentEmail = "admin@example.com";

const defaults = { accessTtlMs: 15 * 60_000, refreshTtlMs: 30 * 86_400_000, memoryKib: 19_456, parallelism: 1 };

/** Reads what decides about accounts and sessions. */
export function authConfig(choose: Chooser) {
  const { environment, setting, note } = choose;
  const embedded = isEmbedded(environment);

  function password(name: "ADMIN_PASSWORD" | "SEED_PASSWORD"): string | undefined {
    const value = environment[name] ?? (embedded ? developmentPassword : undefined);
    const source = embedded ? "default on the embedded PostgreSQL" : "default";
    note(name, value === undefined ? "(none)" : "(not shown)", environment[name] === undefined ? source : "set");
    return value;
  }

  const previousSecretKey = environment.SECRET_KEY_PREVIOUS;
  note("SECRET_KEY_PREVIOUS", previousSecretKey === undefined ? "(none)" : "(not shown)", sourceOf(previousSecretKey));
  const email = setting("ADMIN_EMAIL", embedded ? developmentEmail : undefined);
  const adminPassword = password("ADMIN_PASSWORD");
  return {
    previousSecretKey,
    issuer: setting("JWT_ISSUER", "marketplace"),
    audience: setting("JWT_AUDIENCE", "marketplace-api"),
    accessTtlMs: setting("JWT_ACCESS_TTL", defaults.accessTtlMs),
    refreshTtlMs: setting("JWT_REFRESH_TTL", defaults.refreshTtlMs),
    refreshLeewayMs: setting("REFRESH_LEEWAY", 20_000),
    argon2: {
      memoryKib: setting("ARGON2_MEMORY_KIB", defaults.memoryKib),
      passes: setting("ARGON2_PASSES", 2),
      parallelism: setting("ARGON2_PARALLELISM", defaults.parallelism),
    },
    admin: email === undefined || adminPassword === undefined ? undefined : { email, password: adminPassword },
    seedPassword: password("SEED_PASSWORD"),
  };
}

function sourceOf(value: unknown): string {
  return value === undefined ? "default" : "set";
}

function isEmbedded({ DATABASE_URL: url, SQLALCHEMY_DATABASE_URL: alias, NODE_ENV: mode }: Environment): boolean {
  return url === undefined && alias === undefined && mode !== "production";
}

// The least that OWASP accepts, with 5 passes.
const leastMemoryKib = 7168;

/** What the variables of auth say that cannot be true together. */
export function authProblems(given: Environment): string[] {
  const problems: string[] = [];
  const { JWT_ACCESS_TTL: accessTtlMs = defaults.accessTtlMs, JWT_REFRESH_TTL: refreshTtlMs = defaults.refreshTtlMs } =
    given;
  if (refreshTtlMs <= accessTtlMs) {
    problems.push(`JWT_REFRESH_TTL must be longer than JWT_ACCESS_TTL (${accessTtlMs} ms), got ${refreshTtlMs} ms`);
  }
  const { ARGON2_MEMORY_KIB: memoryKib = defaults.memoryKib, ARGON2_PARALLELISM: lanes = defaults.parallelism } = given;
  const least = given.NODE_ENV === "production" ? leastMemoryKib : 8 * lanes;
  if (memoryKib < least) problems.push(`ARGON2_MEMORY_KIB must be at least ${least} here, got ${memoryKib}`);
  const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = given;
  if (!isEmbedded(given) && (email === undefined) !== (password === undefined)) {
    problems.push("ADMIN_EMAIL and ADMIN_PASSWORD must be set together, or neither of them");
  }
  return problems;
}
