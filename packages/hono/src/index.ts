export { errors } from "./errors.ts";
export { guard, handle, type HonoOptions } from "./guard.ts";
