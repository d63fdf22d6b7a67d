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
    const mayBeHostile = checkJson(value, 0);
    return Buffer.from(mayBeHostile ? JSON.stringify(value, withoutProto) : JSON.stringify(value));
  },
  decode(bytes) {
    return JSON.parse((Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)).toString());
  },
  decodeText: (text) => JSON.parse(text) as unknown,
};

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
  if (kind !== "object") throw new TypeError(`there is a ${kind} in it`);
  if (depth > deepest) throw new TypeError(`it is nested deeper than ${deepest} levels, or contains itself`);
  const object = value as object;
  // What it becomes is not known before it is asked.
  if ("toJSON" in object && typeof object.toJSON === "function") return true;
  if (Array.isArray(object)) return checkElements(object, depth + 1);
  return checkMembers(object, depth + 1);
}

function checkNumber(number: number): boolean {
  if (!Number.isFinite(number)) throw new TypeError("a number is not finite");
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
    throw new TypeError("there is an object with a class in it");
  let mayBeHostile = Object.hasOwn(object, "__proto__");
  for (const member of Object.values(object)) {
    if (member !== undefined && checkJson(member, depth)) mayBeHostile = true;
  }
  return mayBeHostile;
}
