export { errors } from "./errors.ts";
export { guard, handle, keepBody, type ExpressOptions } from "./guard.ts";
