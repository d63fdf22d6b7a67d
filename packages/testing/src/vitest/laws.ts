import { checkLaw, type CreateSubject, type Law } from "../law.ts";
import { declareSuite, declareTest } from "./declare.ts";

/**
 * A suite with one test for each law, each on a fresh subject, which is disposed of afterwards when it can be.
 *
 * @param title - What the laws are checked on, such as `"a bucket store on Redis"`.
 */
export function runLaws<Subject>(title: string, laws: readonly Law<Subject>[], create: CreateSubject<Subject>): void {
  declareSuite(title, {}, () => {
    for (const law of laws) declareTest(law.title, () => checkLaw(law, create));
  });
}
