import type { Attributes } from "@opentelemetry/api";

import type { AttributeValues } from "./attribute-values.ts";
import type { AttributeFields } from "./package-telemetry.ts";

/** The constants, and of the message what the fields name. Throws what a getter of the message throws. */
export function attributesOf(
  message: object,
  fields: AttributeFields | undefined,
  { constants, values }: { readonly constants: Attributes; readonly values: AttributeValues },
): Attributes {
  const attributes = { ...constants };
  for (const [attribute, field] of Object.entries(fields ?? {})) {
    const label = values.label(attribute, Reflect.get(message, field));
    if (label !== undefined) attributes[attribute] = label;
  }
  return attributes;
}
