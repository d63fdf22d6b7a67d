import type { Verdict } from "../guard.ts";
import type { HeaderPatch } from "../reply.ts";
import type { HttpRequest } from "../request.ts";

const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// RFC 9110, 5.5: no control characters but tabs, and no blanks around.
const fieldValue = /^(?:[!-~\u0080-\u00FF](?:[\t -~\u0080-\u00FF]*[!-~\u0080-\u00FF])?)?$/;

/** Whether every header has a lower-case name and a value that HTTP allows. */
export function isSendable(headers: HeaderPatch): boolean {
  return Object.entries(headers).every(
    ([name, value]) => fieldName.test(name) && [value ?? ""].flat().every((each) => fieldValue.test(each)),
  );
}

/** @throws Error that says what an adapter could not do with the verdict. */
export function checkVerdict(verdict: Verdict, { method }: HttpRequest): void {
  if (!("reply" in verdict)) {
    if (!verdict.pass) throw new Error("Expected a verdict with a reply or a pass.");
    if (!isSendable(verdict.headers ?? {}))
      throw new Error(`Expected headers that can be sent: ${show(verdict.headers)}`);
    return;
  }
  const { status, headers, body } = verdict.reply;
  if (!(Number.isSafeInteger(status) && status >= 200 && status <= 599))
    throw new Error(`Expected a status: ${status}`);
  if (!isSendable(headers)) throw new Error(`Expected headers that can be sent: ${show(headers)}`);
  if (method === "HEAD" && body !== undefined && body.length > 0) throw new Error("Expected no body for HEAD.");
}

function show(headers: HeaderPatch | undefined): string {
  return JSON.stringify(headers).slice(0, 500);
}
