import { errorType } from "./error-type.ts";

const longestCharacters = 64;
const overflow = "other";

/** Keeps what attributes may hold within bounds, in number and in length. */
export interface AttributeValues {
  /**
   * The value as an attribute may hold it, or `undefined` where there is none. The first distinct values of an attribute
   * are kept and all later ones are `"other"`. O(1).
   */
  label(attribute: string, value: unknown): string | boolean | undefined;
}

/** @param maxValues - Distinct values per attribute, at least 1. */
export function createAttributeValues(maxValues: number): AttributeValues {
  const known = new Map<string, Set<string>>();
  return {
    label(attribute, value) {
      if (typeof value === "boolean") return value;
      const text = asText(value);
      if (text === undefined) return undefined;
      let values = known.get(attribute);
      if (!values) known.set(attribute, (values = new Set()));
      if (values.has(text)) return text;
      if (values.size >= maxValues) return overflow;
      const own = copied(text);
      values.add(own);
      return own;
    },
  };
}

function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value.slice(0, longestCharacters).toWellFormed();
  if (typeof value === "number" || typeof value === "bigint") return String(value).slice(0, longestCharacters);
  return value instanceof Error ? errorType(value) : undefined;
}

// A slice of a string may keep the whole of it in memory, so what is kept for good is written anew.
function copied(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
