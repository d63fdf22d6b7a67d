import type { HttpReply } from "./reply.ts";
import type { HttpRequest } from "./request.ts";

/** A handler that no framework owns. Each adapter mounts one with `handle()`. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpReply>;
