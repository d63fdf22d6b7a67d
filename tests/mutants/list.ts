import { readdirSync, readFileSync } from "node:fs";

import type { Mutant } from "@sluice/testing/mutants";

function defectsIn(folder: URL): Mutant[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .toSorted()
    .flatMap((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Mutant[]);
}

/** The defects that every run of the tests plants: at least one for each promise that matters most. */
export const everyRun: readonly Mutant[] = defectsIn(new URL("./defects/", import.meta.url));

/** Every planted defect. They take minutes. */
export const mutants: readonly Mutant[] = [...everyRun, ...defectsIn(new URL("./defects/thorough/", import.meta.url))];
