export type { GuardContext, GuardNeeds, HttpGuard, Outcome, PassVerdict, RepliedOutcome, ReplyVerdict, Settlement, Verdict } from "./guard.ts";
export type { HttpHandler } from "./handler.ts";
export type { HeaderPatch, HttpReply, ReplyHead, ReplyHeaders } from "./reply.ts";
export type { HttpRequest } from "./request.ts";
