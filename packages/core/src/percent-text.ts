const plain = /^[A-Za-z0-9._-]*$/;
// With the flag u a pair of surrogates is one match, and a lone one is its own.
const special = /[^A-Za-z0-9._-]/gu;

/**
 * A string in the letters, digits, `.`, `_`, `-` and `%`: every other character as its UTF-8 bytes, `%20`
 * ({@link https://www.rfc-editor.org/rfc/rfc3986#section-2.1 | RFC 3986}), and a lone surrogate, which has none, as
 * `%uD800`. Different strings have different encodings.
 */
export function percentEncode(text: string): string {
  return plain.test(text) ? text : text.replace(special, encodeCharacter);
}

// encodeURIComponent leaves some of these as they are.
const asciiEscapes = Array.from({ length: 0x80 }, (_, code) => `%${code.toString(16).toUpperCase().padStart(2, "0")}`);

function encodeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const isLoneSurrogate = character.length === 1 && (code & 0xf800) === 0xd800;
  if (isLoneSurrogate) return `%u${code.toString(16).toUpperCase()}`;
  return asciiEscapes[code] ?? encodeURIComponent(character);
}

/** The string of an encoding, or `undefined` where it is none. It also reads encodings that are not the canonical one. */
export function percentDecode(text: string): string | undefined {
  if (!/^(?:[A-Za-z0-9._-]|%u[0-9A-F]{4}|%[0-9A-F]{2})*$/.test(text)) return undefined;
  try {
    return text.replace(/%u([0-9A-F]{4})|(?:%[0-9A-F]{2})+/g, (run, code?: string) =>
      code === undefined ? decodeURIComponent(run) : String.fromCharCode(Number.parseInt(code, 16)),
    );
  } catch {
    // The bytes are not UTF-8.
    return undefined;
  }
}
