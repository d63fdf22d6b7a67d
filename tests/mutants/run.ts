// Plants every defect of the list, each in a test project of its own, and reports which ones the tests noticed.
// `npm run mutants -- [words of a name]` exits with 1 if one survives; `--every-run` leaves the thorough ones out.
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { startServices } from "@sluice/testing/services";
import type { Plugin, TestProjectInlineConfiguration } from "vitest/config";
import { createVitest, type TestModule, type TestSpecification, type Vitest } from "vitest/node";

import { root } from "../repository/workspace.ts";
import { everyRun, mutants } from "./list.ts";
import { killerOf, planted, type Mutant } from "./mutant.ts";

const conditions = ["sluice-source"];
const { values, positionals } = parseArgs({ options: { "every-run": { type: "boolean" } }, allowPositionals: true });
const wanted = positionals.join(" ");
const chosen = (values["every-run"] ? everyRun : mutants).filter(({ name }) => name.includes(wanted));

function plant(mutant: Mutant): Plugin {
  const file = path.join(root, mutant.file);
  return {
    name: "plant-defect",
    enforce: "pre",
    load: (id) => (id.split("?")[0] === file ? planted(mutant, readFileSync(file, "utf8")) : undefined),
  };
}

function isIntegration(mutant: Mutant): boolean {
  return killerOf(mutant).file.endsWith(".itest.ts");
}

function project(mutant: Mutant): TestProjectInlineConfiguration {
  return {
    extends: true,
    plugins: [plant(mutant)],
    test: {
      name: mutant.name,
      include: [killerOf(mutant).file],
      pool: "threads",
      // A test that hangs has noticed, too.
      testTimeout: 3000,
      ...(isIntegration(mutant)
        ? { globalSetup: ["./tests/services.ts"], testTimeout: 10_000, hookTimeout: 20_000 }
        : {}),
    },
  };
}

function openVitest(): Promise<Vitest> {
  return createVitest(
    "test",
    {
      config: false,
      root,
      watch: false,
      // The cache is keyed by the file on disk, which has no defect in it.
      fsModuleCache: false,
      reporters: [{}],
      projects: chosen.map(project),
    },
    {
      resolve: { conditions },
      ssr: { resolve: { conditions } },
      environments: { __vitest__: { resolve: { conditions } } },
    },
  );
}

/** Only the test that must fail: the others of its file would cost minutes. */
function specification(vitest: Vitest, mutant: Mutant): TestSpecification {
  const { file, title } = killerOf(mutant);
  const testNamePattern = new RegExp(`${title.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}$`);
  const own = vitest.projects.find(({ name }) => name === mutant.name);
  if (!own) throw new Error(`There is no project for the defect "${mutant.name}".`);
  return own.createSpecification(path.join(root, file), { testNamePattern });
}

/** Why a defect counts as alive, or undefined when its test failed because of it. */
function survival(mutant: Mutant, modules: readonly TestModule[]): string | undefined {
  const module = modules.find((each) => each.project.name === mutant.name);
  if (!module) return `${mutant.killedBy} did not run`;
  const failed = [...module.children.allTests("failed")].length;
  const passed = [...module.children.allTests("passed")].length;
  if (failed > 0) return undefined;
  const [error] = module.errors();
  if (error) return `${mutant.killedBy} did not load: ${error.message}`;
  return passed > 0 ? `${mutant.killedBy} passed` : `there is no test "${mutant.killedBy}"`;
}

// One pair of servers for all projects, each of which would start its own.
const services = chosen.some(isIntegration) ? await startServices() : undefined;
if (services) {
  process.env["DATABASE_URL"] = services.postgres.url;
  process.env["REDIS_URL"] = services.redis.url;
}
const vitest = await openVitest();
const { testModules } = await vitest.runTestSpecifications(chosen.map((mutant) => specification(vitest, mutant)));
const survivors = chosen.filter((mutant) => {
  const why = survival(mutant, testModules);
  console.log(`${why === undefined ? "killed  " : "SURVIVED"}  ${mutant.name}${why === undefined ? "" : `: ${why}`}`);
  return why !== undefined;
});
await vitest.close();
await services?.stop();
console.log(`${chosen.length - survivors.length} of ${chosen.length} planted defects killed`);
process.exit(survivors.length === 0 && chosen.length > 0 ? 0 : 1);
