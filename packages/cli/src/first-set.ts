/** The value of the first variable that is set and not empty. */
export function firstSet(
  env: Readonly<Record<string, string | undefined>>,
  variables: readonly string[],
): string | undefined {
  return variables.map((variable) => env[variable]).find((value) => value !== undefined && value !== "");
}
