import { coreMutants } from "./core.ts";
import { marketplaceMutants } from "./marketplace.ts";
import type { Mutant } from "./mutant.ts";
import { otelMutants } from "./otel.ts";
import { postgresMutants } from "./postgres.ts";
import { repositoryMutants } from "./repository.ts";
import { testingMutants } from "./testing.ts";

/** Every planted defect, by package. */
export const mutants: readonly Mutant[] = [
  ...coreMutants,
  ...marketplaceMutants,
  ...otelMutants,
  ...postgresMutants,
  ...repositoryMutants,
  ...testingMutants,
];
