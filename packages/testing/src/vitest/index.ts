export { createTestDatabase } from "./test-database.ts";
export { describeNeeding, type Needs } from "./needs.ts";
export { runLaws } from "./laws.ts";
export { service } from "./provided.ts";
