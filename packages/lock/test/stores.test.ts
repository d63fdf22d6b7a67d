import { lockLaws, memoryStore } from "@sluice/lock";
import { runLaws } from "@sluice/testing/vitest";

runLaws("locks in memory", lockLaws, ({ clock }) => ({
  store: memoryStore({ clock }),
  async eventually(condition) {
    while (!(await condition())) await clock.advance(1);
  },
}));
