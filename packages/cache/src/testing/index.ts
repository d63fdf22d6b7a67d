export { cacheStoreLaws, type CacheStoreLaw, type CacheStoreSubject } from "./laws.ts";
