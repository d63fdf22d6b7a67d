/** Whether the value is still to come. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as Partial<Promise<T>> | null | undefined)?.then === "function";
}
