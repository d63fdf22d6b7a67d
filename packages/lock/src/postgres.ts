export { lockMigrations, postgresFence, type PostgresFence, type PostgresFenceOptions } from "./postgres/fence.ts";
export { postgresStore, type PostgresStoreOptions } from "./postgres/store.ts";
export { lockInTransaction, type TransactionLockOptions } from "./postgres/transaction-lock.ts";
