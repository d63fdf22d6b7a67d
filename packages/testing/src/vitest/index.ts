export { createTestDatabase } from "./test-database.ts";
export { recordFault, type MeasuredFault } from "./fault-record.ts";
export { describeNeeding, type Needs } from "./needs.ts";
export { runLaws } from "./laws.ts";
export { service } from "./provided.ts";
