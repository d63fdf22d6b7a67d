export { bulkImportRoute } from "./bulk-import-route.ts";
export { changed } from "./changed.ts";
export { insertRows } from "./insert-rows.ts";
export { assertMayChange, assertVersion, unknownCategory } from "./ownership.ts";
export type { ImportTarget } from "./import-rows.ts";
