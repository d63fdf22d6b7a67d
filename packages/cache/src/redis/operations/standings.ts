import { standing, type Standing } from "../../generation.ts";
import { familyOf } from "../../layout.ts";
import type { CacheStore } from "../../store.ts";
import type { Seen } from "./walk.ts";

const longestPrefix = 100;

/** The generations that a record may stand on: that of its prefix, and that of its scope where it has one. */
interface Ground {
  readonly all: string;
  readonly scope: string | undefined;
}

/**
 * How records stand to the generations of their prefix and scope as they are now. `invalid` is certain, as no value of
 * a generation comes back; of groups, tags and first segments nothing is known here.
 *
 * Ask after the records were read: a generation that was read before might be older than what stands on the next.
 */
export async function standingsOf(
  store: Pick<CacheStore, "read">,
  records: readonly Seen[],
  nowMs: number,
): Promise<Standing[]> {
  const grounds = records.map(groundsOf);
  const keys = [...new Set(grounds.flat().flatMap(({ all, scope }) => (scope === undefined ? [all] : [all, scope])))];
  const { generations } = keys.length === 0 ? { generations: [] } : await store.read({ generations: keys });
  const values = new Map(keys.map((key, index) => [key, generations[index] ?? ""]));
  const on = (key: string, stamp: string): Standing => standing(stamp, values.get(key) ?? "", nowMs);
  return records.map(({ record }, index) => {
    const [first = "", second = ""] = record.stamps.split(",");
    const standings = (grounds[index] ?? []).map(({ all, scope }) =>
      worse(on(all, first), scope === undefined ? "fresh" : on(scope, second)),
    );
    return standings.find((each) => each !== "invalid") ?? "invalid";
  });
}

// A record does not tell how many words of its key are the prefix under which it is flushed. Tokens never repeat, so
// at most one of the possible ones has the record's.
function groundsOf({ key, record }: Seen): Ground[] {
  const [words = ""] = /^[\w.-]+(?::[\w.-]+)*/.exec(key.replace(/^v\d+:(?=.)/, "")) ?? [];
  const scope = record.identity.split(" ", 1)[0] ?? "";
  const names = words.split(":").map((_, index, all) => all.slice(0, index + 1).join(":"));
  return names
    .filter((name) => name !== "" && name.length <= longestPrefix)
    .map((name) => {
      const family = familyOf(name);
      return { all: family.all, scope: scope === family.name ? undefined : family.scope(scope) };
    });
}

function worse(one: Standing, other: Standing): Standing {
  if (one === "invalid" || other === "invalid") return "invalid";
  return one === "softened" ? one : other;
}
