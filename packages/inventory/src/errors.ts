import { SluiceError } from "@sluice/core";

/** The database could not be asked, or refused. Nothing was done. `cause` has the reason. */
export class InventoryUnavailableError extends SluiceError {
  override readonly code = "ERR_SLUICE_INVENTORY_UNAVAILABLE";

  /** @param options - With the driver's own error as `cause`. */
  constructor(options: ErrorOptions) {
    super("The inventory could not be asked: its database is unavailable. Nothing was done; try again later.", options);
  }
}

/** The question was sent, and no answer came: it may have been done. */
export class InventoryUnknownError extends SluiceError {
  override readonly code = "ERR_SLUICE_INVENTORY_UNKNOWN";
  /** What was asked for, up to ten. Ask again with the same ids or keys: what was done is not done twice. */
  readonly ids: readonly string[];

  constructor(ids: readonly string[], options?: ErrorOptions) {
    const shown = ids.slice(0, 3).map((id) => JSON.stringify(id.slice(0, 80)));
    const named = ids.length > shown.length ? `${shown.join(", ")} and others` : shown.join(", ");
    super(`What became of ${named} is unknown: no answer came. Ask again with the same id.`, options);
    this.ids = ids.slice(0, 10);
  }
}

/** The request waited for too long before it was sent. Nothing is held. */
export class InventoryDeadlineError extends SluiceError {
  override readonly code = "ERR_SLUICE_INVENTORY_DEADLINE";
  readonly id: string;
  readonly waitedMs: number;

  constructor(id: string, waitedMs: number) {
    super(`The reservation "${id}" was not sent within ${Math.round(waitedMs)} ms. Nothing is held; try again later.`);
    this.id = id;
    this.waitedMs = waitedMs;
  }
}

/** Too many wait already. Nothing is held, and nothing was sent. */
export class InventoryOverloadedError extends SluiceError {
  override readonly code = "ERR_SLUICE_INVENTORY_OVERLOADED";
  readonly waiting: number;
  /** When there is likely to be room, in ms. */
  readonly retryAfterMs: number;

  constructor(waiting: number, retryAfterMs: number) {
    super(`${waiting} reservations wait already. Nothing is held; try again in ${retryAfterMs} ms.`);
    this.waiting = waiting;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The flash lane was closed. Nothing is held. */
export class InventoryClosedError extends SluiceError {
  override readonly code = "ERR_SLUICE_INVENTORY_CLOSED";

  constructor() {
    super("The flash lane is closed. Nothing is held.");
  }
}
