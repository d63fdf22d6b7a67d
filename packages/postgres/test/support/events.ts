import { eventChannel } from "@sluice/core";
import type { PostgresEvent } from "@sluice/postgres";
import { onTestFinished } from "vitest";

type EventOf<Type> = Extract<PostgresEvent, { readonly type: Type }>;

/** Records the events of one type until the returned function is called, which gives them. */
export function postgresEventsOf<Type extends PostgresEvent["type"]>(type: Type): () => readonly EventOf<Type>[] {
  const seen: EventOf<Type>[] = [];
  const stop = eventChannel<PostgresEvent>("sluice:postgres").subscribe((event) => {
    if (event.type === type) seen.push(event as EventOf<Type>);
  });
  onTestFinished(stop);
  return () => {
    stop();
    return seen;
  };
}
