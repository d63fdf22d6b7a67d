import { SluiceError } from "@sluice/core";

import type { ServiceName } from "./service.ts";

/** No step could provide a service. The message says for each step that was tried what it lacked. */
export class ServiceUnavailableError extends SluiceError {
  override readonly code = "ERR_SLUICE_SERVICE_UNAVAILABLE";
  /** The service that was asked for. */
  readonly service: ServiceName;

  /** @param reasons - One for each step, such as `"local: no redis-server on PATH"`. */
  constructor(service: ServiceName, reasons: readonly string[]) {
    super(`No ${service} to test with.\n${reasons.map((reason) => `  ${reason}`).join("\n")}`);
    this.service = service;
  }
}

/** A server process ended before it was ready. The message holds the last lines of its own log. */
export class ServerStartError extends SluiceError {
  override readonly code = "ERR_SLUICE_SERVER_START";
  /** The last lines that the server wrote, oldest first. */
  readonly log: readonly string[];

  /**
   * @param program - Which one, such as `"postgres"`.
   * @param outcome - What became of it, such as `"ended with 1"`.
   */
  constructor(program: string, outcome: string, log: readonly string[]) {
    super(`${program} ${outcome} before it was ready.\n${log.map((line) => `  ${line}`).join("\n")}`);
    this.log = log;
  }
}

/** The user that PostgreSQL must run as cannot enter a folder, because a folder above it is closed to others. */
export class FolderUnreachableError extends SluiceError {
  override readonly code = "ERR_SLUICE_FOLDER_UNREACHABLE";
  /** The folder that was asked for. */
  readonly folder: string;

  /** @param user - Name of the unprivileged user. */
  constructor(folder: string, user: string) {
    super(`The user ${user}, as whom PostgreSQL must run here, cannot enter ${folder}`);
    this.folder = folder;
  }
}
