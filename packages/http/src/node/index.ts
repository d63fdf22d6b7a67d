export { type NodeHeaders, type NodeRequest, type NodeRequestEvent, type NodeResponse } from "../outgoing/messages.ts";
export { keepBody } from "./request-body.ts";
export { describesContent, sendReply } from "../outgoing/response-head.ts";
export { Visit, type Admission, type ReplyHeaderStore, type VisitMessages, type VisitPlace } from "./visit.ts";
