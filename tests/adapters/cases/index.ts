import type { ContractCase } from "../case.ts";
import { abortCases } from "./abort.ts";
import { cachedCases } from "./cached.ts";
import { composeCases } from "./compose.ts";
import { conformanceCases } from "./conformance.ts";
import { errorCases } from "./errors.ts";
import { holdCases } from "./hold.ts";
import { http2Cases } from "./http2.ts";
import { identityCases } from "./identity.ts";
import { limitCases } from "./limits.ts";
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
  ...limitCases,
  ...cachedCases,
  ...conformanceCases,
];
