export { cacheMigrations } from "./migrations.ts";
export { createOutbox, type CacheOutbox, type Invalidate, type OutboxOptions } from "./outbox.ts";
