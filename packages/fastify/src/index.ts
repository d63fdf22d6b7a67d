export { errors } from "./errors.ts";
export { guard, type GuardHook } from "./guard.ts";
export { handle, type NeutralRoute } from "./handle.ts";
export { sluice, type FastifyOptions } from "./plugin.ts";
