import { eventChannel, type EventChannel } from "@sluice/core";

import type { Outcome } from "./guard.ts";

/** What goes wrong around guards, on the channel `sluice:http`. */
export type HttpEvent =
  /** {@link HttpGuard.before} threw or rejected. The client got an error in the handler's place. */
  | { readonly type: "before-failed"; readonly guard: string; readonly error: unknown }
  /** {@link PassVerdict.settle} threw, rejected or took too long. A reply that was `held` became an error. */
  | {
      readonly type: "settle-failed";
      readonly guard: string;
      readonly outcome: Outcome["kind"];
      readonly held: boolean;
      readonly error: unknown;
    }
  /** A reply that had been held could not be sent, as when a guard set a header that HTTP does not allow. */
  | { readonly type: "release-failed"; readonly guard: string; readonly error: unknown }
  /** A handler threw what is no fault of the client. The client got a status from 500 that says nothing of it. */
  | { readonly type: "request-failed"; readonly requestId: string; readonly error: unknown };

/** The events of this package. */
export const httpEvents: EventChannel<HttpEvent> = eventChannel<HttpEvent>("sluice:http");
