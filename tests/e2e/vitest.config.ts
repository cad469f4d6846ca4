import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    dir: "tests/e2e",
    include: ["**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2, // each file runs servers of its own: a node and a workerd
    execArgv: ["--disable-warning=ExperimentalWarning"], // node:sqlite
    // Some start several servers; a machine may have other things to do.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
