/** How values become bytes. */
export interface Codec {
  /** @throws for a value that {@link decode} could not give back. The message shows nothing of the value. */
  encode(value: unknown): Uint8Array;
  /** @throws for bytes that are none of this codec's. */
  decode(bytes: Uint8Array): unknown;
  /** The same from the text that the bytes are in UTF-8, where they are text: spares a view of them. */
  decodeText?(text: string): unknown;
}

/**
 * JSON, strictly: what would silently come back as something else is refused, such as a `Map`, a class instance, NaN,
 * a bigint, or `undefined` in an array. A member that is `undefined` is left out, as is one named `__proto__`, and what
 * has `toJSON`, as a `Date`, comes back as that says.
 */
export const jsonCodec: Codec = {
  encode(value) {
    return Buffer.from(textOf(value));
  },
  decode(bytes) {
    return JSON.parse((Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)).toString());
  },
  decodeText: (text) => JSON.parse(text) as unknown,
};

/** What is wrong with a value, in words that show nothing of it. */
class UnsuitableError extends TypeError {}

function textOf(value: unknown): string {
  let text: string | undefined;
  try {
    text = checkJson(value, 0) ? JSON.stringify(value, withoutProto) : JSON.stringify(value);
  } catch (error) {
    if (error instanceof UnsuitableError) throw error;
    // Code of the value's own has thrown, and what it says may be anything.
    throw new UnsuitableError("an accessor or toJSON of it throws");
  }
  // So says toJSON.
  if (text === undefined) throw new UnsuitableError("there is an undefined in it");
  return text;
}

/** An own member of this name would become the prototype of whatever it is assigned to. */
function withoutProto(this: unknown, key: string, value: unknown): unknown {
  return key === "__proto__" ? undefined : value;
}

const deepest = 500;

/** Refuses what JSON would change. Whether there may be a member `__proto__` in it. */
function checkJson(value: unknown, depth: number): boolean {
  const kind = typeof value;
  if (kind === "string" || kind === "boolean" || value === null) return false;
  if (kind === "number") return checkNumber(value as number);
  if (kind !== "object") throw new UnsuitableError(`there is a ${kind} in it`);
  if (depth > deepest) throw new UnsuitableError(`it is nested deeper than ${deepest} levels, or contains itself`);
  const object = value as object;
  // What it becomes is not known before it is asked.
  if ("toJSON" in object && typeof object.toJSON === "function") return true;
  if (Array.isArray(object)) return checkElements(object, depth + 1);
  return checkMembers(object, depth + 1);
}

function checkNumber(number: number): boolean {
  if (!Number.isFinite(number)) throw new UnsuitableError("a number is not finite");
  return false;
}

function checkElements(elements: readonly unknown[], depth: number): boolean {
  let mayBeHostile = false;
  // By index, as forEach leaves out holes.
  for (let index = 0; index < elements.length; index += 1) {
    if (checkJson(elements[index], depth)) mayBeHostile = true;
  }
  return mayBeHostile;
}

function checkMembers(object: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== null && prototype !== Object.prototype)
    throw new UnsuitableError("there is an object with a class in it");
  let mayBeHostile = Object.hasOwn(object, "__proto__");
  for (const member of Object.values(object)) {
    if (member !== undefined && checkJson(member, depth)) mayBeHostile = true;
  }
  return mayBeHostile;
}
