import type { Sql } from "@sluice/postgres";
import { connectPostgres } from "@sluice/postgres/connect";
import { PgBoss, type Db } from "pg-boss";

import type { Log } from "../http/log.ts";
import { listenToPrimary, type Notices } from "./primary-listener.ts";

/** Every job there is. Each handler is safe to run twice: a worker may die between the work and its receipt. */
export const jobNames = [
  "catalog_rollup",
  "session_gc",
  "order_confirm",
  "order_email",
  "stock_alert_email",
  "low_stock_check",
  "inventory_cache_sync",
  "inventory_upkeep",
] as const;

/** The name of a job. */
export type JobName = (typeof jobNames)[number];

/** What jobs carry beside their name. The others carry nothing. */
export interface JobData {
  readonly order_confirm: { readonly order_id: string };
  readonly order_email: { readonly order_id: string };
  readonly stock_alert_email: { readonly seq: number; readonly product_id: string; readonly available: number };
}

/** What one job carries. */
export type DataOf<Name extends JobName> = Name extends keyof JobData ? JobData[Name] : Readonly<Record<string, never>>;

/** How many jobs there are by state. */
export interface JobStats {
  readonly waiting: number;
  readonly active: number;
  readonly failed: number;
}

/** Jobs, in the database that they work on. Six methods are all that the service knows of its queue. */
export interface Queue {
  /** Adds one job for each data, in the caller's transaction: they exist when that commits. Returns their ids. */
  enqueue<Name extends JobName>(transaction: Sql, job: Name, data: readonly DataOf<Name>[]): Promise<readonly string[]>;
  /** Runs `handler` for the jobs that wait, up to `atOnce` together, until {@link Queue.stop}. Default: one. */
  work<Name extends JobName>(
    job: Name,
    handler: (data: readonly DataOf<Name>[]) => Promise<void>,
    atOnce?: number,
  ): Promise<void>;
  /** Adds the job at each time of a cron expression, once however many processes schedule it. */
  schedule(job: JobName, cron: string): Promise<void>;
  /** Removes a job that has not been run. */
  cancel(job: JobName, id: string): Promise<void>;
  stats(job: JobName): Promise<JobStats>;
  /** Lets the jobs under way finish, for `timeoutMs` at most. */
  stop(timeoutMs: number): Promise<void>;
}

/** What a process does with jobs. */
export interface QueueOptions {
  /** The servers of one cluster: jobs are on its primary, wherever that is. */
  readonly urls: readonly string[];
  readonly log: Log;
  /** Whether this process looks for times that have come. */
  readonly schedules: boolean;
  /** Whether this process recovers the jobs of workers that have died. */
  readonly supervises: boolean;
}

// Its upkeep is not in a hurry.
const statementTimeoutMs = 30_000;

/** Opens the queue, and installs its tables where they are missing. */
export async function createQueue({ urls, log, schedules, supervises }: QueueOptions): Promise<Queue> {
  const applicationName = "marketplace jobs";
  const database = connectPostgres({ urls, max: 3, applicationName, statementTimeoutMs, replicas: "none" });
  const boss = new PgBoss({
    db: { ...portOver(database), listen: async (...notices) => listenToPrimary(urls, noticesOf(notices)) },
    schedule: schedules,
    supervise: supervises,
    // A job is added within seconds of its time, also when the process that would have added it has just died.
    cronMonitorIntervalSeconds: 5,
    cronWorkerIntervalSeconds: 2,
    // The jobs of a worker that died are given to another within seconds, too.
    superviseIntervalSeconds: 2,
    monitorIntervalSeconds: 2,
    useListenNotify: true,
  });
  boss.on("error", (error: Error) => log.error({ error: { message: error.message } }, "Queue trouble"));
  boss.on("warning", ({ message }: { message: string }) => log.warn(message));
  try {
    await boss.start();
    for (const name of jobNames) await boss.createQueue(name, name in patience ? patientOptions : queueOptions);
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => undefined);
    await database.close();
    throw error;
  }
  return portOf(boss, database, log);
}

const queueOptions = {
  retryLimit: 3,
  retryBackoff: true,
  expireInSeconds: 120,
  heartbeatSeconds: 10,
  deleteAfterSeconds: 86_400,
  notify: true,
};

// What a customer waits for is tried for hours: a mail server or a database may be away that long.
const patience: Readonly<Record<keyof JobData, true>> = {
  order_confirm: true,
  order_email: true,
  stock_alert_email: true,
};
const patientOptions = { ...queueOptions, retryLimit: 100, retryDelay: 1, retryDelayMax: 300 };

// A notice wakes workers at once; what is due later again is looked for.
const polling = { pollingIntervalSeconds: 2, notifyPollingIntervalSeconds: 5, burstWhenBatchFull: true };

/** How pg-boss sends SQL. Its scripts answer nothing that it looks at. */
function portOver(sql: Sql): Pick<Db, "executeSql"> {
  return {
    async executeSql(text, values) {
      const { rows } = await sql.query(text, values);
      return { rows: rows ?? [] };
    },
  };
}

function noticesOf([channel, onNotice, onStart]: Parameters<NonNullable<Db["listen"]>>): Notices {
  return { channel, onNotice, onStart };
}

function portOf(boss: PgBoss, database: AsyncDisposable, log: Log): Queue {
  return {
    async enqueue(transaction, job, data) {
      if (data.length === 0) return [];
      const jobs = data.map((each) => ({ data: { ...each } }));
      const ids = await boss.insert(job, jobs, { db: portOver(transaction), returnId: true });
      if (ids?.length !== jobs.length) throw new Error(`The queue did not take the jobs ${job}`);
      return ids;
    },
    async work<Name extends JobName>(job: Name, handler: (data: readonly DataOf<Name>[]) => Promise<void>, atOnce = 1) {
      const options = { batchSize: atOnce, ...polling };
      await boss.work<DataOf<Name>>(job, options, async (jobs) => {
        try {
          await handler(jobs.map(({ data }) => data));
        } catch (error) {
          log.error({ job, error: { message: error instanceof Error ? error.message : "unknown" } }, "Job failed");
          throw error;
        }
      });
    },
    schedule: (job, cron) => boss.schedule(job, cron),
    cancel: async (job, id) => void (await boss.cancel(job, id)),
    async stats(job) {
      const [stats] = await boss.getQueueStats(job, { force: true });
      return { waiting: stats?.queuedCount ?? 0, active: stats?.activeCount ?? 0, failed: stats?.failedCount ?? 0 };
    },
    async stop(timeoutMs) {
      await boss.stop({ graceful: true, timeout: timeoutMs });
      await database[Symbol.asyncDispose]();
    },
  };
}
