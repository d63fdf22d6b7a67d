import type { Sql } from "@sluice/postgres";
import { PgBoss } from "pg-boss";

import type { Log } from "../http/log.ts";

/** Every job there is. Each handler is safe to run twice: a worker may die between the work and its receipt. */
export const jobNames = ["catalog_rollup"] as const;

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
  readonly url: string;
  readonly log: Log;
  /** Whether this process looks for times that have come. */
  readonly schedules: boolean;
  /** Whether this process recovers the jobs of workers that have died. */
  readonly supervises: boolean;
}

/** Opens the queue, and installs its tables where they are missing. */
export async function createQueue({ url, log, schedules, supervises }: QueueOptions): Promise<Queue> {
  const boss = new PgBoss({
    connectionString: url,
    application_name: "marketplace jobs",
    max: 3,
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
  await boss.start();
  for (const name of jobNames) await boss.createQueue(name, queueOptions);
  return portOf(boss, log);
}

const queueOptions = {
  retryLimit: 3,
  retryBackoff: true,
  expireInSeconds: 120,
  heartbeatSeconds: 10,
  deleteAfterSeconds: 86_400,
  notify: true,
};

function portOf(boss: PgBoss, log: Log): Queue {
  return {
    async enqueue(transaction, job) {
      const executeSql = async (text: string, values?: unknown[]) => transaction.query<unknown>(text, values);
      const id = await boss.send(job, {}, { db: { executeSql } });
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
    stop: (timeoutMs) => boss.stop({ graceful: true, close: true, timeout: timeoutMs }),
  };
}
