import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/node/longest-first.ts";

/** The tests that run in Node. All others run inside workerd. */
const nodeTests = ["test/**/*.unit.test.ts", "test/domain/**/*.test.ts"];

export default defineConfig({
  test: {
    // PostgreSQL starts on first use, once for all projects.
    globalSetup: ["test/support/node/global-setup.ts"],
    // The service logs each request. The log of a passing test is noise.
    silent: "passed-only",
    // A test waits for the database, timers and processes much of its time. Three more workers than cores keep the cores busy.
    maxWorkers: availableParallelism() + 3,
    // Each file has its own database. Loading every module again for each file would take most of the time.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // What a test polls for can take long on a busy machine, or while other test files hold back the feed.
    expect: { poll: { timeout: 30_000 } },
    // Ends a test that hangs, even on a busy machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: nodeTests,
        },
      },
      {
        extends: true,
        plugins: [
          cloudflareTest({
            miniflare: {
              compatibilityDate: "2026-11-01",
              compatibilityFlags: ["nodejs_compat"],
              bindings: { ENVIRONMENT: "development" },
              r2Buckets: ["BUCKET"],
            },
          }),
        ],
        test: {
          name: "worker",
          include: ["test/**/*.test.ts"],
          exclude: nodeTests,
        },
      },
    ],
  },
});
