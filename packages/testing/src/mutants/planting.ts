import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Plugin } from "vitest/config";

import { overlayProgram } from "./overlay-program.ts";

/** Texts by absolute path that tests see instead of what is on disk. The disk itself is never written. */
export interface Planting extends Disposable {
  /** Has to be among the plugins of every project. */
  readonly plugin: Plugin;
  /** Lets a Node process and those that it starts see the texts that are planted when they start. */
  readonly environment: Readonly<Record<"NODE_OPTIONS" | "SLUICE_PLANTED", string>>;
  /** Replaces all texts. */
  set(texts: ReadonlyMap<string, string>): void;
}

const preload = `--import=data:text/javascript,${encodeURIComponent(overlayProgram)}`;

/** Begins with nothing planted. */
export function createPlanting(): Planting {
  const folder = mkdtempSync(path.join(tmpdir(), "sluice-mutants-"));
  const file = path.join(folder, "planted.json");
  const environment = {
    NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} ${preload}`.trim(),
    SLUICE_PLANTED: file,
  };
  let planted: ReadonlyMap<string, string> = new Map();

  function set(texts: ReadonlyMap<string, string>): void {
    planted = texts;
    writeFileSync(file, JSON.stringify(Object.fromEntries(texts)));
  }

  set(planted);
  return {
    set,
    environment,
    plugin: {
      name: "sluice-planting",
      enforce: "pre",
      load: (id) => planted.get(id.split("?")[0] ?? ""),
      // Vite loads the modules of a test. What a test reads from disk, and the programs that it starts, are reached
      // from within.
      configureVitest: ({ project }) => {
        project.config.env = { ...project.config.env, ...environment };
      },
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
