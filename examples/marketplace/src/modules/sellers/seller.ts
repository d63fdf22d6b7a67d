import { z } from "zod";

import { textParameter } from "../../http/parameters.ts";

/** What opening a shop takes. */
export const newSeller = z.strictObject({ name: textParameter(200), location: textParameter(64) });

/** A shop. */
export const seller = z.object({ id: z.uuid(), name: z.string(), location: z.string(), created_at: z.string() });

/** What opening a shop takes, checked. */
export type NewSeller = z.output<typeof newSeller>;

/** A shop. */
export type Seller = z.output<typeof seller>;
