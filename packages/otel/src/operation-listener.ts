import { tracingChannel } from "node:diagnostics_channel";

import { traceChannel } from "@sluice/core";

import { ActiveContext, type Activation } from "./active-context.ts";
import { errorType } from "./error-type.ts";
import { createRecorder, type Operation, type Outcome } from "./operation.ts";
import type { OperationTelemetry } from "./package-telemetry.ts";
import type { Source } from "./source.ts";

/** Most operations of one kind that are followed at a time. Beyond it, the oldest is let go. */
export const mostOpenOperations = 10_000;

/**
 * Turns an operation of a package into spans and a histogram of durations. Returns the function that ends it; spans
 * that are open then are ended as unobserved.
 */
export function listenToOperation(source: Source, name: string, fields: OperationTelemetry): () => void {
  const channelName = `sluice:${source.telemetry.name}:${name}` as const;
  const recorder = createRecorder(source, name, fields);
  const open = new Map<object, Operation>();

  function begin(message: object): Operation {
    const [oldest] = open.size < mostOpenOperations ? [] : open.keys();
    if (oldest) finish(oldest, "unobserved");
    const operation = recorder.begin(message);
    open.set(message, operation);
    return operation;
  }
  function finish(message: object, outcome: Outcome): void {
    const operation = open.get(message);
    if (!operation || !open.delete(message)) return;
    recorder.finish(operation, message, outcome);
    if (operation.incomplete) source.drops.add();
  }

  const store = new ActiveContext();
  const { start } = tracingChannel<Activation, object>(channelName);
  start.bindStore(store, begin);
  const unsubscribe = traceChannel<object>(channelName).subscribe({
    error(message) {
      const operation = open.get(message);
      if (operation) operation.errorType = readErrorType(message);
    },
    // Without an error the promise is still to settle.
    end(message) {
      if (open.get(message)?.errorType !== undefined) finish(message, "error");
    },
    asyncEnd(message) {
      finish(message, open.get(message)?.errorType === undefined ? "ok" : "error");
    },
  });
  return () => {
    start.unbindStore(store);
    unsubscribe();
    for (const message of open.keys()) finish(message, "unobserved");
  };
}

function readErrorType(message: { readonly error?: unknown }): string {
  try {
    return errorType(message.error);
  } catch {
    return errorType(undefined);
  }
}
