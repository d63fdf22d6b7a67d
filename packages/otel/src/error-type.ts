// What an SDK of OpenTelemetry reports when it knows nothing better.
const unknownType = "_OTHER";

// A code is written in capitals, digits and underscores: ERR_SLUICE_…, ECONNREFUSED, 40001. A name is one word that
// begins with a capital, such as TypeError. What looks different may be a value, and is not repeated.
const code = /^[A-Z0-9][A-Z0-9_]{0,63}$/;
const name = /^[A-Z][A-Za-z0-9]{0,63}$/;

/** The kind of an error: its code, else its name, else `_OTHER`. Never its message, which may hold values. */
export function errorType(error: unknown): string {
  if (typeof error !== "object" || error === null) return unknownType;
  if ("code" in error && typeof error.code === "string" && code.test(error.code)) return error.code;
  if ("name" in error && typeof error.name === "string" && name.test(error.name)) return error.name;
  return unknownType;
}
