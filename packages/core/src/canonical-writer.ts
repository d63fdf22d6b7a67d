import { NotCanonicalError, type NotCanonicalReason } from "./not-canonical.ts";

/** A text that grows up to a length, and the place of the value that is being written. */
export interface CanonicalWriter {
  text: string;
  readonly path: (string | number)[];
  readonly maxDepth: number;
  readonly maxLength: number;
}

export function append(writer: CanonicalWriter, piece: string): void {
  writer.text += piece;
  if (writer.text.length > writer.maxLength) throw tooLong(writer);
}

/** Refuses a piece of at least `length` characters before the work of encoding it is done. */
export function expectRoom(writer: CanonicalWriter, length: number): void {
  if (writer.text.length + length > writer.maxLength) throw tooLong(writer);
}

/** Refuses to go deeper than the writer may, which also ends a value that contains itself. */
export function descend(writer: CanonicalWriter): void {
  if (writer.path.length < writer.maxDepth) return;
  throw refusal(writer, "depth", `is nested deeper than ${writer.maxDepth} levels, or contains itself`);
}

/** Writes `[a,b]`, each element with `write`. */
export function writeList<W extends CanonicalWriter>(
  writer: W,
  elements: readonly unknown[],
  write: (writer: W, element: unknown) => void,
): void {
  append(writer, "[");
  for (let index = 0; index < elements.length; index += 1) {
    if (index > 0) append(writer, ",");
    writer.path.push(index);
    write(writer, elements[index]);
    writer.path.pop();
  }
  append(writer, "]");
}

function tooLong(writer: CanonicalWriter): NotCanonicalError {
  return refusal(writer, "size", `is where the text exceeds ${writer.maxLength} characters`);
}

export function refusal(writer: CanonicalWriter, reason: NotCanonicalReason, problem: string): NotCanonicalError {
  return new NotCanonicalError(reason, writer.path, problem);
}
