import { runLaws } from "@sluice/testing/vitest";

import { memoryStore } from "../src/index.ts";
import { storeLaws } from "../src/laws/index.ts";

runLaws("a store in memory", storeLaws, ({ clock, random }) => memoryStore({ clock, random }));
