/** What is held of a body, in pieces. */
export class HeldBody {
  #chunks: Uint8Array[] = [];
  /** Unit: bytes. */
  length = 0;

  /** Adds a piece, uncopied. Text is UTF-8. */
  add(chunk: string | Uint8Array): void {
    const bytes = bytesOf(chunk);
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.length += bytes.length;
  }

  /** All of it. A single piece is not copied. */
  whole(): Uint8Array {
    return joined(this.#chunks);
  }

  /** Hands over the pieces, and begins anew. */
  take(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.length = 0;
    return chunks;
  }
}

const encoder = new TextEncoder();

/** A piece of a body as bytes: text is UTF-8. */
export function bytesOf(chunk: string | Uint8Array): Uint8Array {
  return typeof chunk === "string" ? encoder.encode(chunk) : chunk;
}

/** Pieces as one. A single piece is not copied. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  if (first && chunks.length === 1) return first;
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
