/** The code of the error that a promise rejects with. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([work]);
  if (outcome.status === "fulfilled") return `fulfilled with ${JSON.stringify(outcome.value)}`;
  return (outcome.reason as { readonly code?: unknown }).code ?? outcome.reason;
}

let ids = 0;

/** An id that no other test of this file gets. */
export function uuid(): string {
  ids += 1;
  return `10000000-0000-4000-8000-${ids.toString(16).padStart(12, "0")}`;
}
