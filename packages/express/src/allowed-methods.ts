import type { Application } from "express";

/** What a layer of a router has in every version of Express 5. */
interface Layer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> } | undefined;
  readonly handle: object;
  /** What has matched, where `match` tells only that something has. */
  readonly path?: string;
  match(path: string): boolean | { readonly path: string };
}

/** The methods that the routes of a path have, in capitals. O(routes). */
export function allowedMethods(app: Application, path: string): string[] {
  const names = methodsIn(app.router, path);
  return names.includes("GET") ? [...names, "HEAD"] : names;
}

function methodsIn(router: object, path: string): string[] {
  const stack = "stack" in router ? (router.stack as readonly Layer[]) : [];
  return stack.flatMap((layer) => {
    const match = layer.match(path);
    if (!match) return [];
    if (layer.route) return Object.keys(layer.route.methods).map((name) => name.toUpperCase());
    const prefix = typeof match === "object" ? match.path : (layer.path ?? "");
    return methodsIn(layer.handle, path.slice(prefix.length) || "/");
  });
}
