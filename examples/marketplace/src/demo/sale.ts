import { createProgress, type ProgressOutput } from "../seed/progress.ts";
import type { Load, Tally } from "./load.ts";
import { naiveTables } from "./naive-purchase.ts";
import type { SaleOptions } from "./options.ts";
import { outcomeOf, type Outcome } from "./outcome.ts";
import { startProgram, type Program } from "./program.ts";
import { restock } from "./shop.ts";
import type { Stage } from "./stage.ts";
import { readNaiveTotals, readTotals } from "./totals.ts";

/** How a sale is run. */
export interface SaleRun {
  readonly stage: Stage;
  readonly options: SaleOptions;
  /** Where it is shown how far this is. */
  readonly output: ProgressOutput;
}

/** The sale in the marketplace. */
export async function sluiceSale({ stage, options, output }: SaleRun): Promise<Outcome> {
  await using marketplace = startProgram("marketplace", stage.environment);
  const { productId, rehearsalId, people } = stage;
  const { units } = options;
  const url = await urlOf(marketplace);
  await restock(url, people.administrator, { productId, units });
  await restock(url, people.administrator, { productId: rehearsalId, units });
  const tally = await letCrowdsIn(url, { stage, options, output }, "Sluice");
  const orderIds = tally.accepted.map(({ orderId }) => orderId);
  const totals = await stage.query((database) => readTotals(database, { productId, units, orderIds }));
  return outcomeOf(tally, totals);
}

/** The same crowd at a sale that is written naively, on the same database and over as many connections to it. */
export async function naiveSale({ stage, options, output }: SaleRun): Promise<Outcome> {
  const { productId, environment, config } = stage;
  const { units, paymentMs, buyers } = options;
  await stage.query(async (database) => {
    await database.script(naiveTables);
    await database.query("insert into naive.stock (product_id, units) values ($1, $3), ($2, $3)", [
      productId,
      stage.rehearsalId,
      units,
    ]);
  });
  await using naive = startProgram("naive", {
    DATABASE_URL: environment["DATABASE_URL"] ?? "",
    DB_POOL_MAX: String(config.database.poolMax),
    PAYMENT_MS: String(paymentMs),
  });
  const tally = await letCrowdsIn(await urlOf(naive), { stage, options, output }, "naive");
  const orderIds = tally.accepted.map(({ orderId }) => orderId);
  const question = { productId, units, orderIds, buyers };
  return outcomeOf(tally, await stage.query((database) => readNaiveTotals(database, question)));
}

async function urlOf(program: Program): Promise<string> {
  return String(await program.told("url"));
}

/** First those who rehearse, then everybody else, whom the tally is about. */
async function letCrowdsIn(url: string, { stage, options, output }: SaleRun, name: string): Promise<Tally> {
  const { productId, rehearsalId, people } = stage;
  const load = { url, sockets: options.sockets, withinMs: options.withinSeconds * 1000 };
  await letCrowdIn({ ...load, productId: rehearsalId, buyers: people.rehearsal }, () => undefined);
  const progress = createProgress(output, "buyers");
  const tally = await letCrowdIn({ ...load, productId, buyers: people.buyers }, (answered) =>
    progress.update(name, answered, options.buyers),
  );
  progress.end();
  return tally;
}

async function letCrowdIn(load: Load, onAnswer: (answered: number) => void): Promise<Tally> {
  await using generator = startProgram("generator");
  generator.hear("answered", (answered) => onAnswer(Number(answered)));
  const tally = generator.told("tally");
  generator.send(load);
  return (await tally) as Tally;
}
