import process from "node:process";

/** What a program of the demonstration is started by, and ends with. */
export interface Parent {
  tell(message: object): void;
}

/** Ends this program in order when whoever started it lets go of it, or is gone. */
export function endWithParent(close: () => Promise<void>): Parent {
  const end = (): void => {
    void close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.once("disconnect", end);
  // The terminal signals everybody; the parent decides when this one ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  return { tell: (message) => void process.send?.(message) };
}
