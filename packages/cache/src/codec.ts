import { deepFreeze } from "./freeze.ts";

/** How values become bytes. */
export interface Codec {
  /** @throws for a value that {@link decode} could not give back. The message shows nothing of the value. */
  encode(value: unknown): Uint8Array;
  /** @throws for bytes that are none of this codec's. */
  decode(bytes: Uint8Array): unknown;
}

/**
 * JSON, strictly: what would silently come back as something else is refused, such as a `Map`, a class instance, NaN,
 * a bigint, or `undefined` in an array. A member that is `undefined` is left out, and what has `toJSON`, as a `Date`,
 * comes back as that says. Values come back deeply frozen.
 */
export const jsonCodec: Codec = {
  encode(value) {
    checkJson(value, 0);
    return Buffer.from(JSON.stringify(value));
  },
  decode(bytes) {
    const text = (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)).toString();
    // An own member of this name would become the prototype of whatever it is assigned to.
    const value: unknown = text.includes("__proto__") ? JSON.parse(text, withoutProto) : JSON.parse(text);
    return deepFreeze(value);
  },
};

function withoutProto(this: unknown, key: string, value: unknown): unknown {
  return key === "__proto__" ? undefined : value;
}

const deepest = 500;

function checkJson(value: unknown, depth: number): void {
  const kind = typeof value;
  if (kind === "string" || kind === "boolean" || value === null) return;
  if (kind === "number") return checkNumber(value as number);
  if (kind !== "object") throw new TypeError(`there is a ${kind} in it`);
  if (depth > deepest) throw new TypeError(`it is nested deeper than ${deepest} levels, or contains itself`);
  const object = value as object;
  if ("toJSON" in object && typeof object.toJSON === "function") return;
  if (Array.isArray(object)) return checkElements(object, depth + 1);
  checkPlain(object);
  for (const member of Object.values(object)) if (member !== undefined) checkJson(member, depth + 1);
}

function checkNumber(number: number): void {
  if (!Number.isFinite(number)) throw new TypeError("a number is not finite");
}

function checkElements(elements: readonly unknown[], depth: number): void {
  // By index, as forEach leaves out holes.
  for (let index = 0; index < elements.length; index += 1) checkJson(elements[index], depth);
}

function checkPlain(object: object): void {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== null && prototype !== Object.prototype)
    throw new TypeError("there is an object with a class in it");
}
