import type { ContractCase } from "../case.ts";
import { abortCases } from "./abort.ts";
import { composeCases } from "./compose.ts";
import { holdCases } from "./hold.ts";
import { settleCases } from "./settle.ts";
import { stageCases } from "./stages.ts";

/** What every adapter keeps. */
export const contractCases: readonly ContractCase[] = [
  ...settleCases,
  ...abortCases,
  ...holdCases,
  ...composeCases,
  ...stageCases,
];
