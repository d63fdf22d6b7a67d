import type { Meter } from "@opentelemetry/api";
import { eventChannel } from "@sluice/core";
import type { PostgresEvent } from "@sluice/postgres";

import type { Log } from "../http/log.ts";

const channel = eventChannel<PostgresEvent>("sluice:postgres");

/**
 * Counts where reads went, and logs what becomes of the servers. `db_route` has five series at most.
 *
 * @returns ends it.
 */
export function watchDatabaseEvents(meter: Meter, log: Log): () => void {
  const routes = meter.createCounter("db_route", { description: "Reads by where they went, and why to the primary" });
  return channel.subscribe((event) => {
    if (event.type === "route") routes.add(1, routeLabels(event));
    else logChange(event, log);
  });
}

function routeLabels({ target, reason }: Extract<PostgresEvent, { type: "route" }>) {
  return reason === undefined ? { target } : { target, reason: reason.replaceAll("-", "_") };
}

function logChange(event: PostgresEvent, log: Log): void {
  if (event.type === "primary-found") {
    log.info({ host: event.host, after_ms: Math.round(event.afterMs) }, "Found the primary");
  } else if (event.type === "primary-lost") {
    log.warn({ host: event.host, role: event.role }, "Lost the primary");
  } else if (event.type === "host-evicted") {
    log.warn({ host: event.host, role: event.role, connections: event.clients }, "Left a database server");
  } else if (event.type === "client-destroyed") {
    log.warn({ host: event.host }, "A database server did not answer in time");
  }
}
