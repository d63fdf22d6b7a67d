import fc from "fast-check";

/** Any text that a client might send, control characters and halves of pairs included. */
export const hostileText = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom(",", ";", '"', "\\", "=", "\0", "\r", "\n", "%", ":"),
  ),
  maxLength: 60,
});
