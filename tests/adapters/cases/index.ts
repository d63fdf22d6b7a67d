import type { ContractCase } from "../case.ts";
import { abortCases } from "./abort.ts";
import { composeCases } from "./compose.ts";
import { errorCases } from "./errors.ts";
import { holdCases } from "./hold.ts";
import { http2Cases } from "./http2.ts";
import { identityCases } from "./identity.ts";
import { neutralCases } from "./neutral.ts";
import { protocolCases } from "./protocol.ts";
import { requestBodyCases } from "./request-body.ts";
import { settleCases } from "./settle.ts";
import { stageCases } from "./stages.ts";

/** What every adapter keeps. */
export const contractCases: readonly ContractCase[] = [
  ...settleCases,
  ...abortCases,
  ...holdCases,
  ...composeCases,
  ...stageCases,
  ...neutralCases,
  ...requestBodyCases,
  ...identityCases,
  ...errorCases,
  ...protocolCases,
  ...http2Cases,
];
