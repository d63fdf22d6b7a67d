/** What a call throws; fails when it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** The next uncaught exception of this process, kept away from the test runner. */
export async function uncaughtAfter(call: () => void): Promise<unknown> {
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  try {
    return await new Promise((resolve) => {
      process.once("uncaughtException", resolve);
      call();
    });
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  }
}
