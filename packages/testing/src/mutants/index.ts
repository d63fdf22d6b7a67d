export { checkMutants, InvalidMutantsError, type Mutant } from "./mutant.ts";
export {
  runMutants,
  type MutantOutcome,
  type MutantReport,
  type MutantResult,
  type RunMutantsOptions,
} from "./run-mutants.ts";
