import { readConfig } from "../../src/config/read-config.ts";

/** What production does not start without. */
export const secret = "correct horse battery staple, and more";

/** The configuration of an environment that is usable. */
export function configOf(environment: Record<string, string>) {
  const result = readConfig(environment);
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result;
}

/** What is wrong with an environment. */
export function problemsOf(environment: Record<string, string>): readonly string[] {
  const result = readConfig(environment);
  return result.ok ? [] : result.problems;
}
