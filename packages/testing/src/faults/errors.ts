import { SluiceError } from "@sluice/core";

/** The fault proxy was closed while something waited for it, or before it was used. */
export class FaultProxyClosedError extends SluiceError {
  override readonly code = "ERR_SLUICE_FAULT_PROXY_CLOSED";

  constructor() {
    super("The fault proxy is closed.");
  }
}

/** A process did not come to the state that a signal should have brought it to. */
export class ProcessStateError extends SluiceError {
  override readonly code = "ERR_SLUICE_PROCESS_STATE";
  readonly pid: number;

  /**
   * @param wanted - Such as `"stopped"`.
   * @param seen - What the kernel reports instead.
   */
  constructor(pid: number, wanted: string, seen: string) {
    super(`Process ${pid} should be ${wanted}, and is ${seen}`);
    this.pid = pid;
  }
}
