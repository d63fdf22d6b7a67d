export { errors } from "./errors.ts";
export { guard, handle, type FastifyOptions, type GuardHook, type NeutralRoute } from "./guard.ts";
export { sluice } from "./plugin.ts";
