import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { dataFolders } from "../src/embedded/data-folders.ts";
import { startEmbeddedPostgres } from "../src/embedded/embedded-postgres.ts";
import { withAdministrator } from "../src/infra/database.ts";

let home: string;
let closed: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "marketplace-"));
  await chmod(home, 0o755);
  // As a checkout in root's home is.
  closed = path.join(home, "root", "project");
  await mkdir(closed, { recursive: true, mode: 0o700 });
  await chmod(path.join(home, "root"), 0o700);
});
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));

describe("the data of the embedded PostgreSQL", () => {
  it("is in the project, else in the user's state, else where everybody can go, and always where it is wanted", () => {
    const [project, state, shared, ...more] = dataFolders(undefined, { XDG_STATE_HOME: "/state" });
    expect(project).toMatch(/\.sluice\/marketplace$/);
    expect(state).toMatch(/^\/state\/sluice\/marketplace-[0-9a-f]{8}$/);
    expect(shared).toBe(`/var/lib/sluice/${path.basename(state ?? "")}`);
    expect(more).toEqual([]);
    expect(dataFolders("data", { XDG_STATE_HOME: "/state" })).toEqual([path.resolve("data")]);
  });

  // Only root starts it as somebody else.
  describe.runIf(process.getuid?.() === 0)("for root", () => {
    it("is in the next folder where PostgreSQL's user cannot enter the first, which the start says", async () => {
      const open = path.join(home, "state");
      const embedded = await startEmbeddedPostgres([closed, open]);
      try {
        expect(embedded.folder).toBe(path.join(open, "1"));
        expect(embedded.notes).toEqual([`PostgreSQL's user cannot enter ${closed}.`]);
        const one = await withAdministrator(embedded.url, (database) => database.query("select 1 as one"));
        expect(one.rows).toEqual([{ one: 1 }]);
        expect(await readdir(closed)).toEqual([]);
      } finally {
        await embedded.stop();
      }
    });

    it("has no place when every folder is closed, and the reason names one", async () => {
      const start = startEmbeddedPostgres([closed]);
      await expect(start).rejects.toMatchObject({ code: "ERR_SLUICE_FOLDER_UNREACHABLE" });
      await expect(start).rejects.toThrow(closed);
    });
  });
});
