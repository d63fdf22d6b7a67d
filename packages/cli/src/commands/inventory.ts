import { hasCode } from "@sluice/core";
import {
  createInventory,
  type Drift,
  type Inventory,
  type Level,
  type MovementResult,
  type StockLevel,
} from "@sluice/inventory";
import { postgresStore } from "@sluice/inventory/postgres";
import { redisAdmission } from "@sluice/inventory/redis";
import { quoteIdentifier, type SqlTransaction } from "@sluice/postgres";
import type { Redis } from "@sluice/redis";

import type { Answer, Command, CommandOption, Typed } from "../command.ts";
import { databaseOf, databaseOption } from "../database-option.ts";
import { redisIfAny, redisOf, redisOption } from "../redis-option.ts";
import { required } from "../required.ts";
import type { Surroundings } from "../run.ts";
import { wholeNumber } from "../whole-number.ts";

const common = {
  database: databaseOption,
  schema: { type: "string", value: "name", help: "where the tables are; default: sluice" },
  plain: { type: "boolean", help: "the database has the tables without the functions" },
  json: { type: "boolean", help: "answer in JSON" },
} as const satisfies Record<string, CommandOption>;

const hints = {
  redis: { ...redisOption, help: "where the hints are; default: INVENTORY_REDIS_URL, then REDIS_URL" },
  prefix: { type: "string", value: "text", help: "what stands before every product; default: stock:" },
} as const satisfies Record<string, CommandOption>;

const limit: CommandOption = { type: "string", value: "number", help: "at most so many products, to 10000" };
const most = { from: 1, to: 10_000 };

/** What an operator does about stock. */
export const inventoryCommands: readonly Command[] = [
  {
    name: "inventory verify",
    operands: [],
    help: "Looks for products whose numbers contradict each other. Exits with 1 if there is one.",
    options: { ...common, limit },
    async run(typed, surroundings) {
      const wanted = limitOf(typed, 1000);
      await using stock = open(typed, surroundings);
      const violations = await stock.inventory.verify(wanted);
      const text = violations.map(
        ({ productId, onHand, moved, reserved, open: held }) =>
          `${productId}: ${onHand} on hand, ${moved} moved; ${reserved} reserved, ${held} held`,
      );
      const failed = violations.length > 0;
      return { json: violations, text: failed ? text.join("\n") : "All numbers agree.", failed };
    },
  },
  {
    name: "inventory reconcile",
    operands: [],
    help: "Sets the hints in Redis to what PostgreSQL says.",
    options: { ...common, ...hints, product: { type: "string", value: "id", help: "one product instead of all" } },
    async run(typed, surroundings) {
      await using redis = redisOf(typed, surroundings, ["INVENTORY_REDIS_URL"]);
      await using stock = open(typed, surroundings, redisAdmission(redis, admissionOf(typed)));
      const drifts = await stock.inventory.reconcile(typed.text("product"));
      return { json: drifts, text: driftText(drifts) };
    },
  },
  {
    name: "inventory restock",
    operands: ["<product>", "<quantity>"],
    help: "Adds units to a product, once per key. Makes the product when it is new.",
    options: {
      ...common,
      ...hints,
      key: { type: "string", value: "text", help: "names the delivery: with the same key it happens once" },
    },
    async run(typed, surroundings) {
      const [productId = "", units = ""] = typed.operands;
      const quantity = wholeNumber("quantity", units, { from: 1, to: Number.MAX_SAFE_INTEGER });
      const movement = { productId, quantity, key: required(typed, "key") };
      await using redis = redisIfAny(typed, surroundings, ["INVENTORY_REDIS_URL"]);
      await using stock = open(typed, surroundings);
      const result = await stock.inventory.restock(movement);
      const published = redis && "level" in result ? await publish(redis, typed, result.level) : undefined;
      return movedAnswer(productId, { ...result, ...(published === undefined ? {} : { published }) });
    },
  },
  {
    name: "inventory low-stock",
    operands: [],
    help: "Lists the products of which no more is available than their threshold.",
    options: { ...common, limit, after: { type: "string", value: "id", help: "only ids that come after this one" } },
    async run(typed, surroundings) {
      const page = { after: typed.text("after") ?? "", limit: limitOf(typed, 100) };
      await using stock = open(typed, surroundings);
      const levels = await stock.inventory.lowStock(page);
      return { json: levels, text: levels.length > 0 ? levels.map(levelText).join("\n") : "Nothing is low." };
    },
  },
];

interface Stock extends AsyncDisposable {
  readonly inventory: Inventory<SqlTransaction>;
}

function open(typed: Typed, surroundings: Surroundings, admission?: ReturnType<typeof redisAdmission>): Stock {
  const schema = typed.text("schema") ?? "sluice";
  // Before anything is opened that would have to be closed.
  quoteIdentifier(schema);
  const db = databaseOf(typed, surroundings);
  const store = postgresStore(db, { plain: typed.has("plain"), schema });
  return {
    inventory: createInventory({ store, ...(admission ? { admission } : {}) }),
    [Symbol.asyncDispose]: () => db.close(),
  };
}

function admissionOf(typed: Typed): { readonly prefix?: string; readonly deadlineMs: number } {
  const prefix = typed.text("prefix");
  return { deadlineMs: 2000, ...(prefix === undefined ? {} : { prefix }) };
}

function limitOf(typed: Typed, usual: number): number {
  const text = typed.text("limit");
  return text === undefined ? usual : wholeNumber("--limit", text, most);
}

function driftText(drifts: readonly Drift[]): string {
  if (drifts.length === 0) return "No hint said anything else.";
  return drifts.map(({ productId, hint, available }) => `${productId}: ${available}, not ${hint}`).join("\n");
}

/** Tells the hints. Redis may be away: the units are there all the same, and the hints heal by themselves. */
async function publish(redis: Redis, typed: Typed, level: Level): Promise<boolean> {
  try {
    await redisAdmission(redis, admissionOf(typed)).publish([level]);
    return true;
  } catch (error) {
    if (hasCode(error, "ERR_SLUICE_REDIS_UNAVAILABLE") || hasCode(error, "ERR_SLUICE_REDIS_UNKNOWN")) return false;
    throw error;
  }
}

function movedAnswer(productId: string, result: MovementResult & { readonly published?: boolean }): Answer {
  const said = {
    applied: "done",
    duplicate: "that was done before",
    conflict: "the key belongs to another movement, and nothing was done",
    refused: "that is more than can be counted, and nothing was done",
    unknown_product: "there is no such product, and nothing was done",
  };
  const level = "level" in result ? `; ${result.level.available} available` : "";
  const failed = result.status !== "applied" && result.status !== "duplicate";
  const untold = result.published === false ? " Redis could not be told: its hint heals by itself." : "";
  return { json: result, text: `${productId}: ${said[result.status]}${level}.${untold}`, failed };
}

function levelText({ productId, available, lowAt, onHand, reserved }: StockLevel): string {
  return `${productId}: ${available} available (low at ${lowAt}), ${onHand} on hand, ${reserved} reserved`;
}
