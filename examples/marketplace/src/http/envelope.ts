import { z } from "zod";

/** The body of every success: `{ ok, status, data, trace_id }`. */
export function success<Data extends z.ZodType>(data: Data) {
  return z.object({ ok: z.literal(true), status: z.literal("success"), data, trace_id: z.string() });
}

/** The body of a list: a success with `page` beside `data`. */
export function successPage<Item extends z.ZodType>(item: Item) {
  return success(z.array(item)).extend({ page: pageInfo });
}

const pageInfo = z.object({
  next_cursor: z.string().nullable().describe("Send it as `cursor` for the next page; null on the last one"),
  limit: z.int().describe("The most items that a page of this request holds"),
});

/** One page of items, as a service returns it. */
export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
  readonly limit: number;
}

/** The body of every error. */
export const errorBody = z.object({
  ok: z.literal(false),
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
  trace_id: z.string(),
});

/** The error answers that any route may give, for its schema. */
export const errorAnswers = { "4xx": errorBody, "5xx": errorBody };

/** Wraps data for the request whose id is given. */
export function ok<Data>(traceId: string, data: Data) {
  return { ok: true as const, status: "success" as const, data, trace_id: traceId };
}

/** Wraps a page for the request whose id is given. */
export function okPage<Item>(traceId: string, { items, nextCursor, limit }: Page<Item>) {
  return { ...ok(traceId, items), page: { next_cursor: nextCursor, limit } };
}
