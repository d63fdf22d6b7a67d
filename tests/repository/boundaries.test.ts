import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { forbiddenImports } from "./import-map.ts";
import { filesBelow, importsOf, packagesIn, root, type Manifest } from "./workspace.ts";

const made: string[] = [];

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

function planted(manifest: Manifest, files: Readonly<Record<string, string>>): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), "sluice-boundaries-"));
  made.push(folder);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return forbiddenImports({ folder, manifest });
}

describe("the import map", () => {
  for (const packaged of packagesIn("packages")) {
    it(`allows every arrow of ${packaged.manifest.name}`, () => {
      expect(forbiddenImports(packaged)).toEqual([]);
    });
  }

  it("lets examples import public entry points only", () => {
    const reaching = packagesIn("examples").flatMap(({ folder }) =>
      filesBelow(folder, /\.ts$/).flatMap((file) =>
        importsOf(readFileSync(file, "utf8"))
          .filter((specifier) => /^@sluice\/[^/]+\/(src|dist)\b/.test(specifier) || leaves(specifier, file, folder))
          .map((specifier) => `${path.relative(root, file)} imports ${specifier}`),
      ),
    );
    expect(reaching).toEqual([]);
  });

  it("refuses a primitive that imports another primitive", () => {
    const found = planted(
      { name: "@sluice/cache", dependencies: { "@sluice/lock": "*" } },
      { "src/index.ts": 'import { x } from "@sluice/lock";' },
    );
    expect(found).toEqual(["cache depends on lock in its manifest", "cache/src/index.ts imports @sluice/lock"]);
  });

  it("refuses a store's package outside of the store's subpath", () => {
    const inside = { "src/redis/store.ts": 'export * from "@sluice/redis";' };
    const outside = { "src/memory.ts": 'export const later = import("@sluice/redis");' };
    expect(planted({ name: "@sluice/cache" }, inside)).toEqual([]);
    expect(planted({ name: "@sluice/cache" }, outside)).toEqual(["cache/src/memory.ts imports @sluice/redis"]);
  });

  it("refuses Node built-ins where a package must run without Node", () => {
    const found = planted({ name: "@sluice/http" }, { "src/index.ts": 'import "node:fs";' });
    expect(found).toEqual(["http/src/index.ts imports node:fs"]);
  });

  it("refuses an import that leaves the package, and a package that is not on it", () => {
    const found = planted({ name: "@sluice/http" }, { "src/index.ts": 'import "../../core/src/index.ts";' });
    expect(found).toEqual(["http/src/index.ts imports ../../core/src/index.ts"]);
    expect(planted({ name: "@sluice/stranger" }, {})).toEqual(["stranger is not on the map"]);
  });
});

function leaves(specifier: string, file: string, folder: string): boolean {
  return specifier.startsWith(".") && !path.resolve(path.dirname(file), specifier).startsWith(folder + path.sep);
}
