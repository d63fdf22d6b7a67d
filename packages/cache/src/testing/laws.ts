import { dropLaws } from "./drop-laws.ts";
import { generationLaws } from "./generation-laws.ts";
import type { CacheStoreLaw } from "./law-support.ts";
import { leaseLaws } from "./lease-laws.ts";

/** What every store must do: run these against a store of your own. */
export const cacheStoreLaws: readonly CacheStoreLaw[] = [...generationLaws, ...leaseLaws, ...dropLaws];
