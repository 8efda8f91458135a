import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/ui/**/*.e2e.ts"],
    globalSetup: ["test/ui/global-setup.ts"],
    // For a busy machine: no test depends on how long it takes; only one that waits in vain takes this long.
    expect: { poll: { timeout: 300_000 } },
    testTimeout: 600_000,
    hookTimeout: 300_000,
    pool: "forks",
    // A browser, a server and its compute process per file: two at a time take two thirds of the time of one after the other.
    maxWorkers: 2,
  },
});
