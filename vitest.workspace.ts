import { defineConfig } from "vitest/config";

// Tests import the packages' TypeScript sources, not dist (see "exports" in their package.json).
const conditions = ["sluice-source"];

const onGitHub = process.env["GITHUB_ACTIONS"] === "true" ? ["github-actions"] : [];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // Where the reporter and the global setup run.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    // Most tests wait for a server or a process: more of them run than a small machine has cores.
    maxWorkers: 3,
    // A busy machine is not a failure. What must be fast is measured by its own clock.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The summary comes first, because it puts the seed into the failures that the others print.
    reporters: ["./tests/summary.ts", "default", ...onGitHub],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "tests/**/*.test.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["packages/*/test/**/*.itest.ts", "examples/*/test/**/*.itest.ts", "tests/**/*.itest.ts"],
          globalSetup: ["./tests/services.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ["packages/*/test/**/*.test-d.ts"],
            tsconfig: "./tsconfig.json",
          },
        },
      },
    ],
  },
});
