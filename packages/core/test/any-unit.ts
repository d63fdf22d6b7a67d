import fc from "fast-check";

/** Any UTF-16 code unit, lone surrogates included, ASCII half of the time. */
export const anyUnit = fc
  .oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff }))
  .map((code) => String.fromCharCode(code));
