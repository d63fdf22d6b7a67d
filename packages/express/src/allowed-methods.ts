import type { Application } from "express";

/** What the layers of a router have in every version of Express 5. */
interface Layer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> } | undefined;
  readonly handle: object;
  /** In older versions the path that has matched, after a match. */
  readonly path?: string;
  match(path: string): boolean | { readonly path: string };
}

/** The methods that the routes of a path have, in capitals. O(routes). */
export function allowedMethods(app: Application, path: string): string[] {
  const names = methodsIn((app.router as unknown as { readonly stack: readonly Layer[] }).stack, path);
  return names.includes("GET") ? [...names, "HEAD"] : names;
}

function methodsIn(stack: readonly Layer[], path: string): string[] {
  return stack.flatMap((layer) => {
    const match = layer.match(path);
    if (!match) return [];
    if (layer.route) return Object.keys(layer.route.methods).map((name) => name.toUpperCase());
    const nested = "stack" in layer.handle ? (layer.handle.stack as readonly Layer[]) : [];
    const prefix = typeof match === "object" ? match.path : (layer.path ?? "");
    return methodsIn(nested, path.slice(prefix.length) || "/");
  });
}
