import type { ContractCase } from "../case.ts";
import { settleCases } from "./settle.ts";

/** What every adapter keeps. */
export const contractCases: readonly ContractCase[] = [...settleCases];
