import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{engine,nodes,ui,test,tools,bench}/**/*.test.ts"],
    exclude: ["node_modules/**", "dist/**"],
    // For a busy machine: no test depends on how long it takes.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // The runtime's native threads already use every core: a process per file, few at a time.
    pool: "forks",
    maxWorkers: 2,
  },
});
