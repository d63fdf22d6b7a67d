export {
  FetchVisit,
  type FetchAdmission,
  type FetchMessages,
  type FetchPlace,
  type FetchSource,
  type Handled,
  type Next,
} from "./fetch-visit.ts";
export { toResponse } from "./response.ts";
