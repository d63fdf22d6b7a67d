import { checkMutants } from "@sluice/testing/mutants";
import { describe, expect, it } from "vitest";

import { mutants } from "../mutants/list.ts";
import { root } from "./workspace.ts";

describe("planted defects", () => {
  it("all apply to the sources of today, the thorough ones, too", () => {
    expect(() => checkMutants(mutants, root)).not.toThrow();
  });
});
