export type { CacheStoreLaw, CacheStoreSubject } from "./law-support.ts";
export { cacheStoreLaws } from "./laws.ts";
