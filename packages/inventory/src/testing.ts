export { inventoryLaws, type InventoryLaw, type InventorySubject } from "./laws.ts";
export { memoryStore, type MemoryStoreOptions, type MemoryTransaction } from "./memory.ts";
