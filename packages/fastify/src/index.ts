export { errors } from "./errors.ts";
export { guard, handle, sluice, type FastifyOptions, type GuardHook, type NeutralRoute } from "./plugin.ts";
