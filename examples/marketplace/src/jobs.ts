import type { Role } from "./config/config.ts";
import { jobNames, type DataOf, type JobName, type Queue } from "./infra/queue.ts";

/** What is done for each job. */
export type JobWork = { readonly [Name in JobName]: (data: readonly DataOf<Name>[]) => Promise<void> };

/** When jobs come by themselves: the others are added by whoever needs them. */
const jobTimes: Readonly<Partial<Record<JobName, string>>> = {
  catalog_rollup: "*/5 * * * *",
  session_gc: "17 * * * *",
  low_stock_check: "0 6 * * *",
  inventory_cache_sync: "* * * * *",
  inventory_upkeep: "23 * * * *",
};

/** The schedule, as the person at the terminal reads it: one line for each job that comes by itself. */
export function scheduleLines(): string[] {
  return Object.entries(jobTimes).map(([name, time]) => `  ${time.padEnd(12)}  ${name}`);
}

/** How many are done together: a transaction for five hundred orders costs little more than one for one. */
const jobsAtOnce: Readonly<Partial<Record<JobName, number>>> = {
  order_confirm: 500,
  order_email: 20,
  stock_alert_email: 20,
};

/** Works on jobs, and adds those whose time has come, as far as the role includes either. */
export async function startJobs(queue: Queue, role: Role, work: JobWork): Promise<void> {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it says that name and work belong together
  const start = <Name extends JobName>(name: Name): Promise<void> => queue.work(name, work[name], jobsAtOnce[name]);
  for (const name of jobNames) {
    if (includes(role, "worker")) await start(name);
    const time = jobTimes[name];
    if (includes(role, "cron") && time !== undefined) await queue.schedule(name, time);
  }
}

/** Whether a role includes a part. */
export function includes(role: Role, part: Role): boolean {
  return role === "all" || role === part;
}
