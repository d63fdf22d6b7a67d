export { toResponse } from "./response.ts";
export { FetchVisit, type FetchPlace, type FetchSource, type GuardedPlace, type Handled } from "./fetch-visit.ts";
