export { lockMigrations, postgresFence, type PostgresFence, type PostgresFenceOptions } from "./postgres/fence.ts";
export { postgresStore } from "./postgres/store.ts";
export { lockInTransaction, type TransactionLockOptions } from "./postgres/transaction-lock.ts";
