import { runLaws } from "@sluice/testing/vitest";
import { beforeAll } from "vitest";

import { handleKinds, openPglite } from "./support/handles.ts";
import { statementLaws } from "./support/statement-laws.ts";
import { createSubject } from "./support/subject.ts";
import { transactionLaws } from "./support/transaction-laws.ts";

// Its first start takes seconds.
beforeAll(openPglite, 60_000);

for (const kind of handleKinds) {
  runLaws(`a database over ${kind.name}`, [...transactionLaws, ...statementLaws], () => createSubject(kind));
}
