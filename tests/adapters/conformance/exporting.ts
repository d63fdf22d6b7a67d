/** Exports of the shop, which a test holds up. */
export interface Exporting {
  /** Called by the handler when it runs. */
  begin(): void;
  /** Resolves when so many exports have begun. */
  begun(count: number): Promise<void>;
  /** What all of them wait for. */
  readonly done: PromiseWithResolvers<void>;
}

export function createExporting(): Exporting {
  const reached: PromiseWithResolvers<void>[] = [];
  let count = 0;
  const at = (place: number): PromiseWithResolvers<void> => (reached[place] ??= Promise.withResolvers<void>());
  return {
    begin() {
      count += 1;
      at(count).resolve();
    },
    begun: (wanted) => at(wanted).promise,
    done: Promise.withResolvers<void>(),
  };
}
