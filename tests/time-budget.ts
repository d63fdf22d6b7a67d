/** What a group of test files may take of a run's time on two cores. */
export interface TimeGroup {
  readonly name: string;
  readonly budgetSeconds: number;
}

/** What a group took of a run. */
export interface TimeShare extends TimeGroup {
  readonly seconds: number;
}

/** A test file's folder, as in `redis` or `tests/docs`, and how long it ran. */
export interface TimedFile {
  readonly folder: string;
  readonly ms: number;
}

const foundations: TimeGroup = { name: "foundations", budgetSeconds: 120 };
const adapters: TimeGroup = { name: "adapters", budgetSeconds: 60 };
const faults: TimeGroup = { name: "chaos and simulation", budgetSeconds: 240 };
const documents: TimeGroup = { name: "docs and tarballs", budgetSeconds: 90 };
const examples: TimeGroup = { name: "examples", budgetSeconds: 240 };

const groups: Readonly<Record<string, TimeGroup>> = {
  ...inGroup(foundations, ["core", "redis", "postgres", "http", "testing", "otel"]),
  ...inGroup(adapters, ["express", "fastify", "hono", "tests/adapters", "tests/quick-starts"]),
  ...inGroup(faults, ["tests/chaos", "tests/simulation", "tests/mutants"]),
  ...inGroup(documents, ["tests/docs", "tests/packed", "tests/repository"]),
};

/** The group of a folder. A package that is in no other group is a primitive, and a group of its own. */
export function groupOf(folder: string): TimeGroup {
  if (folder.startsWith("examples/")) return examples;
  return groups[folder] ?? { name: folder, budgetSeconds: 40 };
}

/**
 * How a run's time divides among its groups. Files run side by side, so a group's share is its part of all files'
 * time, and the shares add up to the run.
 */
export function timeShares(files: readonly TimedFile[], runSeconds: number): TimeShare[] {
  const allMs = files.reduce((sum, { ms }) => sum + ms, 0);
  const byName = Map.groupBy(files, ({ folder }) => groupOf(folder).name);
  return [...byName.values()].map((members) => {
    const ms = members.reduce((sum, member) => sum + member.ms, 0);
    return { ...groupOf(members[0]?.folder ?? ""), seconds: allMs === 0 ? 0 : (ms / allMs) * runSeconds };
  });
}

function inGroup(group: TimeGroup, folders: readonly string[]): Record<string, TimeGroup> {
  return Object.fromEntries(folders.map((folder) => [folder, group]));
}
