export type { Admission } from "./admission.ts";
export {
  InventoryClosedError,
  InventoryDeadlineError,
  InventoryOverloadedError,
  InventoryUnavailableError,
  InventoryUnknownError,
} from "./errors.ts";
export { inventoryEvents, type InventoryEvent, type Strategy } from "./events.ts";
export type { OnReserved, Reserved } from "./flash/batches.ts";
export type { Flash, FlashOptions } from "./flash/flash.ts";
export { createInventory, type Inventory } from "./inventory.ts";
export type { LockPort } from "./lock-port.ts";
export { reserve_with_optimistic_lock, type OptimisticReserver } from "./optimistic.ts";
export { createReaper, type Reaper, type ReaperOptions } from "./reaper.ts";
export type {
  Extension,
  Level,
  Line,
  Movement,
  MovementResult,
  Purged,
  Reservation,
  ReservationState,
  Reserver,
  ReserveRequest,
  ReserveResult,
  Resolution,
  StockEvent,
  StockLevel,
  Violation,
} from "./reservation.ts";
export type { InventoryOptions } from "./settings.ts";
export type {
  BatchDecision,
  Decision,
  EndDecision,
  InventoryStore,
  LateConfirm,
  PageOf,
  Wanted,
  WantedBatch,
  WantedEnd,
  WantedMovement,
  WantedUnits,
} from "./store.ts";
export type { Drift, Upkeep } from "./upkeep.ts";
