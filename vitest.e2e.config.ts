import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/ui/**/*.e2e.ts"],
    globalSetup: ["test/ui/global-setup.ts"],
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    // A browser, a server and its compute process per file.
    maxWorkers: 1,
    fileParallelism: false,
  },
});
