/** The row with what a change gives. What the change leaves out stays. */
export function changed<Row extends object>(
  row: Row,
  change: { readonly [Name in keyof Row]?: Row[Name] | undefined },
): Row {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...row, ...Object.fromEntries(given) };
}
