import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { filesBelow, importsOf, type Package } from "./workspace.ts";

const foundations: Readonly<Record<string, readonly string[]>> = {
  core: [],
  redis: ["core"],
  postgres: ["core"],
  http: ["core"],
  testing: ["core"],
  otel: ["core"],
  express: ["http"],
  fastify: ["http"],
  hono: ["http"],
};

const primitives = new Set([
  "cache",
  "rate-limit",
  "idempotency",
  "webhook",
  "lock",
  "inventory",
  "oauth",
  "resilience",
  "pagination",
  "recommend",
]);

// A primitive reaches a foundation only through the subpath of the same name, so that nobody installs what they
// do not use.
const subpaths = ["redis", "postgres", "http"] as const;

/** Packages that must run where there is no Node: none of their sources may import a Node built-in. */
const portable = new Set(["core", "http", "hono", "pagination", "webhook"]);
const nodeOnlyFiles = new Set(["packages/core/src/channel.node.ts"]);

/** What the package named `name` may import from the file `file` (relative to its `src`), or undefined if unknown. */
export function allowedImports(name: string, file: string): readonly string[] | undefined {
  if (name === "cli") return [...Object.keys(foundations), ...primitives];
  if (!primitives.has(name)) return foundations[name];
  const subpath = subpaths.find((each) => file === `${each}.ts` || file.startsWith(`${each}/`));
  return subpath === undefined ? ["core"] : ["core", subpath];
}

/** Every arrow of a package that the map does not have, each as a sentence. */
export function forbiddenImports(packaged: Package): string[] {
  const name = packaged.manifest.name.replace("@sluice/", "");
  if (allowedImports(name, "index.ts") === undefined) return [`${name} is not on the map`];
  return [...manifestArrows(name, packaged), ...sourceArrows(name, packaged)];
}

function manifestArrows(name: string, { manifest }: Package): string[] {
  const allowed = new Set([
    ...(allowedImports(name, "index.ts") ?? []),
    ...subpaths.flatMap((subpath) => allowedImports(name, `${subpath}.ts`) ?? []),
  ]);
  return Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    .filter((dependency) => dependency.startsWith("@sluice/"))
    .map((dependency) => dependency.replace("@sluice/", ""))
    .filter((dependency) => !allowed.has(dependency))
    .map((dependency) => `${name} depends on ${dependency} in its manifest`);
}

function sourceArrows(name: string, { folder }: Package): string[] {
  const src = path.join(folder, "src");
  if (!existsSync(src)) return [];
  return filesBelow(src, /\.ts$/).flatMap((file) => {
    const within = path.relative(src, file);
    const allowed = allowedImports(name, within) ?? [];
    return importsOf(readFileSync(file, "utf8"))
      .filter((specifier) => !isAllowed(specifier, { name, file, src, allowed }))
      .map((specifier) => `${name}/src/${within} imports ${specifier}`);
  });
}

interface Place {
  readonly name: string;
  readonly file: string;
  readonly src: string;
  readonly allowed: readonly string[];
}

function isAllowed(specifier: string, { name, file, src, allowed }: Place): boolean {
  if (specifier.startsWith(".")) return path.resolve(path.dirname(file), specifier).startsWith(src + path.sep);
  if (specifier.startsWith("node:")) return !portable.has(name) || nodeOnlyFiles.has(repositoryPath(file));
  if (!specifier.startsWith("@sluice/")) return true;
  return allowed.includes(specifier.split("/")[1] ?? "");
}

function repositoryPath(file: string): string {
  return file.slice(file.lastIndexOf(`packages${path.sep}`)).replaceAll(path.sep, "/");
}
