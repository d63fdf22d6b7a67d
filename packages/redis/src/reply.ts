import type { Reply } from "./port.ts";

/**
 * A client's answer in RESP2 shapes: a map becomes the flat array that RESP2 would have sent, a boolean 0 or 1.
 * Clients that speak RESP3 may answer a map as an object, as a Map or as an array.
 */
export function toReply(answer: unknown): Reply {
  if (typeof answer === "string" || typeof answer === "number" || answer === null) return answer;
  if (answer instanceof Uint8Array) return answer;
  if (Array.isArray(answer)) return answer.map(toReply);
  if (typeof answer === "boolean") return answer ? 1 : 0;
  if (answer === undefined) return null;
  if (typeof answer === "bigint") return String(answer);
  if (typeof answer !== "object") return null;
  const pairs = answer instanceof Map ? [...answer] : Object.entries(answer);
  return pairs.flat().map(toReply);
}
