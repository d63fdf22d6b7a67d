// Plants every defect of the list, each in a test project of its own, and reports which ones the tests noticed.
// `node --conditions=sluice-source tests/mutants/run.ts [words of a name]` exits with 1 if one survives.
import { readFileSync } from "node:fs";
import path from "node:path";

import type { Plugin, TestProjectInlineConfiguration } from "vitest/config";
import { startVitest, type TestModule } from "vitest/node";

import { root } from "../repository/workspace.ts";
import { mutants } from "./list.ts";
import { planted, type Mutant } from "./mutant.ts";

const wanted = process.argv.slice(2).join(" ");
const chosen = mutants.filter(({ name }) => name.includes(wanted));

function plant(mutant: Mutant): Plugin {
  const file = path.join(root, mutant.file);
  return {
    name: "plant-defect",
    enforce: "pre",
    load: (id) => (id.split("?")[0] === file ? planted(mutant, readFileSync(file, "utf8")) : undefined),
  };
}

function project(mutant: Mutant): TestProjectInlineConfiguration {
  const integration = mutant.killedBy.endsWith(".itest.ts");
  return {
    extends: true,
    plugins: [plant(mutant)],
    test: {
      name: mutant.name,
      include: [mutant.killedBy],
      ...(integration ? { globalSetup: ["./tests/services.ts"], testTimeout: 20_000, hookTimeout: 60_000 } : {}),
    },
  };
}

/** Why a defect counts as alive, or undefined when a test failed because of it. */
function survival(mutant: Mutant, modules: readonly TestModule[]): string | undefined {
  const module = modules.find((each) => each.project.name === mutant.name);
  if (!module) return `no test file ${mutant.killedBy}`;
  const [error] = module.errors();
  if (error) return `${mutant.killedBy} did not load: ${error.message}`;
  const failed = [...module.children.allTests("failed")];
  return failed.length > 0 ? undefined : `${mutant.killedBy} passed`;
}

const conditions = ["sluice-source"];
const vitest = await startVitest(
  "test",
  [],
  {
    config: false,
    root,
    watch: false,
    reporters: [{}],
    projects: chosen.map(project),
  },
  { resolve: { conditions }, ssr: { resolve: { conditions } } },
);
const modules = vitest.state.getTestModules();
const survivors = chosen.flatMap((mutant) => {
  const why = survival(mutant, modules);
  console.log(`${why === undefined ? "killed  " : "SURVIVED"}  ${mutant.name}${why === undefined ? "" : `: ${why}`}`);
  return why === undefined ? [] : [mutant];
});
await vitest.close();
console.log(`${chosen.length - survivors.length} of ${chosen.length} planted defects killed`);
process.exit(survivors.length === 0 && chosen.length > 0 ? 0 : 1);
