import type { Sql } from "@sluice/postgres";
import { connectPostgres } from "@sluice/postgres/connect";
import { PgBoss, type Db } from "pg-boss";

import type { Log } from "../http/log.ts";
import { listenToPrimary, type Notices } from "./primary-listener.ts";

/** Every job there is. Each handler is safe to run twice: a worker may die between the work and its receipt. */
export const jobNames = ["catalog_rollup", "session_gc"] as const;

/** The name of a job. */
export type JobName = (typeof jobNames)[number];

/** How many jobs there are by state. */
export interface JobStats {
  readonly waiting: number;
  readonly active: number;
  readonly failed: number;
}

/** Jobs, in the database that they work on. Six methods are all that the service knows of its queue. */
export interface Queue {
  /** Adds a job in the caller's transaction: it exists when that commits. Returns its id. */
  enqueue(transaction: Sql, job: JobName): Promise<string>;
  /** Runs `handler` for each job, one at a time, until {@link Queue.stop}. */
  work(job: JobName, handler: () => Promise<void>): Promise<void>;
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
    monitorIntervalSeconds: 2,
    useListenNotify: true,
  });
  boss.on("error", (error: Error) => log.error({ error: { message: error.message } }, "Queue trouble"));
  boss.on("warning", ({ message }: { message: string }) => log.warn(message));
  try {
    await boss.start();
    for (const name of jobNames) await boss.createQueue(name, queueOptions);
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
    async enqueue(transaction, job) {
      const id = await boss.send(job, {}, { db: portOver(transaction) });
      if (id === null) throw new Error(`The queue did not take the job ${job}`);
      return id;
    },
    async work(job, handler) {
      await boss.work(job, { batchSize: 1, pollingIntervalSeconds: 2 }, async () => {
        try {
          await handler();
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
