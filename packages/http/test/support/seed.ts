const given = process.env["SLUICE_SEED"];

/** Parameters of a property test. The seed is fresh unless SLUICE_SEED gives one; a failure prints it. */
export function seeded(numRuns: number): { seed: number; numRuns: number } {
  const seed = given === undefined ? crypto.getRandomValues(new Int32Array(1))[0] : Number(given);
  return { seed: seed ?? 0, numRuns };
}
