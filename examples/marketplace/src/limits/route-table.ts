import type { AnyServer } from "../http/server.ts";
import { tierOf, writes, type Tier } from "./tiers.ts";

/** A route as operators see it. */
export interface RouteRow {
  readonly method: string;
  readonly path: string;
  readonly tier: Tier | undefined;
}

/** Collects every route that is registered from now on, but for those that only say what else there is. */
export function collectRoutes(server: Pick<AnyServer, "addHook">): readonly RouteRow[] {
  const rows: RouteRow[] = [];
  server.addHook("onRoute", ({ method, url, schema }) => {
    // The same routes are served below /api/v1, and HEAD wherever GET is.
    if (schema?.hide === true || url.startsWith("/api/v1/")) return;
    for (const each of [method].flat()) {
      if (each !== "HEAD") rows.push({ method: each, path: url, tier: tierOf({ method: each, route: url }) });
    }
  });
  return rows;
}

/** The table that a start prints: each route with its tier, and a warning where writes have no limit. */
export function routeTable(rows: readonly RouteRow[], isLimiting: boolean): string[] {
  const tiers = rows.map((row) => ({ ...row, tier: isLimiting ? row.tier : undefined }));
  const width = Math.max(...tiers.map(({ path }) => path.length));
  const lines = tiers.map(
    ({ method, path, tier = "no limit" }) => `  ${method.padEnd(6)} ${path.padEnd(width)}  ${tier}`,
  );
  const open = tiers.filter(({ method, tier }) => tier === undefined && writes(method));
  if (open.length === 0) return lines;
  return [...lines, `Warning: ${open.length} routes that write have no limit.`];
}
