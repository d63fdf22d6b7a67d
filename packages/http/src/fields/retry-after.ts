/**
 * The value of `Retry-After` for a wait (RFC 9110, 10.2.3): whole seconds, rounded up so that nobody comes back too
 * early, and at least 1.
 *
 * @param waitMs - Unit: ms. Endless and unknown waits are 1 second and 68 years at most.
 */
export function printRetryAfter(waitMs: number): string {
  const seconds = Math.ceil(waitMs / 1000);
  return String(Math.min(Math.max(seconds, 1) || 1, longestSeconds));
}

// What clients that count in 32 bits can hold.
const longestSeconds = 2 ** 31 - 1;

const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * How long a `Retry-After` asks to wait, from 0. Undefined for what is neither seconds nor a date (RFC 9110, 5.6.7).
 *
 * @param nowMs - The time now, in ms since the epoch: dates are absolute.
 * @returns Unit: ms.
 */
export function parseRetryAfter(value: string, nowMs: number): number | undefined {
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  const dateMs = httpDate.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
