import type { FastifyInstance } from "fastify";
import findMyWay from "find-my-way";

/** Which methods a path has. */
export interface RouteMethods {
  add(url: string, methods: readonly string[]): void;
  /** In capitals. O(methods) lookups. */
  methodsOf(path: string): string[];
}

/** Learns routes, and matches paths as Fastify does: by its own router. */
export function createRouteMethods({ initialConfig }: FastifyInstance): RouteMethods {
  const router = findMyWay(initialConfig.routerOptions);
  const known = new Set<string>();
  const methods = new Set<findMyWay.HTTPMethod>();
  return {
    add(url, added) {
      for (const method of added as readonly findMyWay.HTTPMethod[]) {
        // A route may come once per version or host.
        if (!known.has(`${method} ${url}`)) router.on(method, url, () => undefined);
        known.add(`${method} ${url}`);
        methods.add(method);
      }
    },
    methodsOf: (path) => [...methods].filter((method) => router.find(method, path) !== null),
  };
}
