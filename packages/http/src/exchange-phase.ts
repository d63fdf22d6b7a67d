/**
 * How far an exchange has come:
 *
 * - `deciding`: the guard has not decided.
 * - `handling`: the handler runs, and nothing of its reply is known.
 * - `holding`: the head of the reply is known, and held.
 * - `settling`: the reply is held until `settle` has returned.
 * - `flowing`: the reply goes to the client directly.
 * - `over`: nothing that happens matters to the guard any more.
 */
export type Phase = "deciding" | "handling" | "holding" | "settling" | "flowing" | "over";

/** Whether what the handler writes is kept from the client. */
export function isHeld(phase: Phase): boolean {
  return phase === "handling" || phase === "holding" || phase === "settling";
}
