import { clockLaws } from "./clock-laws.ts";
import { correctionLaws } from "./correction-laws.ts";
import type { StoreLaw } from "./law.ts";
import { limitLaws } from "./limit-laws.ts";
import { oracleLaws, strictLaws } from "./oracle-laws.ts";
import { subjectLaws } from "./subject-laws.ts";
import { togetherLaws } from "./together-laws.ts";

export type { StoreLaw, StoreLawContext } from "./law.ts";
export { createOracle, type Hit, type Oracle } from "./oracle.ts";

/** Everything that a {@link RateLimitStore} must do. Memory and Redis do; a store of your own can be checked, too. */
export const storeLaws: readonly StoreLaw[] = [
  ...limitLaws,
  ...oracleLaws,
  ...strictLaws,
  ...togetherLaws,
  ...correctionLaws,
  ...subjectLaws,
  ...clockLaws,
];
