import { parseArgs } from "node:util";

/** How large a flash sale is, and how it is run. */
export interface SaleOptions {
  readonly buyers: number;
  readonly units: number;
  /** Connections that are open at once, at most. */
  readonly sockets: number;
  /** How long the naive sale lets its buyer wait for the payment. */
  readonly paymentMs: number;
  /** After which a sale is over, whoever is still without an answer. */
  readonly withinSeconds: number;
  /** Whether the naive sale runs, too. */
  readonly naive: boolean;
  /** Whether the outcome is printed as one line of JSON. */
  readonly json: boolean;
}

/** What the command line may say, and what is the default. */
export const usage = `Usage: npm run demo:flash-sale -- [options]
  --buyers N      how many want one unit each, 1 to 100000 (10000)
  --units N       how many units there are, 1 to 100000 (500)
  --sockets N     connections that are open at once, 1 to 1000 (256)
  --payment-ms N  how long the naive sale's payment takes, 0 to 10000 (2000)
  --within S      seconds after which a sale is over, 1 to 600 (120)
  --no-naive      leaves the naive sale out
  --json          prints the outcome as one line of JSON
DATABASE_URL and REDIS_URL are used where they are set; without them, a PostgreSQL of its own and the process's memory.`;

const numbers = {
  buyers: { by: "10000", from: 1, to: 100_000 },
  units: { by: "500", from: 1, to: 100_000 },
  sockets: { by: "256", from: 1, to: 1000 },
  "payment-ms": { by: "2000", from: 0, to: 10_000 },
  within: { by: "120", from: 1, to: 600 },
} as const;

function text(name: keyof typeof numbers) {
  return { type: "string", default: numbers[name].by } as const;
}

/** Reads the command line. Undefined where it asks for help. @throws `TypeError` in one sentence. */
export function readOptions(args: readonly string[]): SaleOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      buyers: text("buyers"),
      units: text("units"),
      sockets: text("sockets"),
      "payment-ms": text("payment-ms"),
      within: text("within"),
      naive: { type: "boolean", default: true },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  return {
    buyers: whole("buyers", values.buyers),
    units: whole("units", values.units),
    sockets: whole("sockets", values.sockets),
    paymentMs: whole("payment-ms", values["payment-ms"]),
    withinSeconds: whole("within", values.within),
    naive: values.naive,
    json: values.json,
  };
}

function whole(name: keyof typeof numbers, value: string): number {
  const { from, to } = numbers[name];
  const number = /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= from && number <= to) return number;
  throw new TypeError(`--${name} must be a whole number from ${from} to ${to}, got ${JSON.stringify(value)}`);
}
