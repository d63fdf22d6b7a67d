export { type NodeHeaders, type NodeRequest, type NodeRequestEvent, type NodeResponse } from "./messages.ts";
export { keepBody } from "./request-body.ts";
export { describesContent, sendReply } from "./response-head.ts";
export { Visit, type Admission, type ReplyHeaderStore, type VisitMessages, type VisitPlace } from "./visit.ts";
