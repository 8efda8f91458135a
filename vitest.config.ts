import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{engine,nodes,ui,test,tools,bench}/**/*.test.ts"],
    exclude: ["node_modules/**", "dist/**"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The runtime's native threads already use every core: a process per file, few at a time.
    pool: "forks",
    maxWorkers: 2,
  },
});
