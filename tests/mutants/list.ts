import type { Mutant } from "./mutant.ts";
import { repositoryMutants } from "./repository.ts";

/** Every planted defect, by package. */
export const mutants: readonly Mutant[] = [...repositoryMutants];
