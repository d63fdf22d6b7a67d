import { endingLaws } from "./laws/ending.ts";
import { movingLaws } from "./laws/moving.ts";
import { reservingLaws } from "./laws/reserving.ts";
import type { InventoryLaw } from "./laws/subject.ts";
import { upkeepLaws } from "./laws/upkeep.ts";
import { workloadLaws } from "./laws/workload.ts";

export type { InventoryLaw, InventorySubject } from "./laws/subject.ts";

/** What every store must do. */
export const inventoryLaws: readonly InventoryLaw[] = [
  ...reservingLaws,
  ...endingLaws,
  ...movingLaws,
  ...upkeepLaws,
  ...workloadLaws,
];
