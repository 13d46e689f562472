import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/node/longest-first.ts";

/** Tests of the pure domain, of scripts and of the local stack: in Node. All others run inside workerd. */
const nodeTests = ["test/**/*.unit.test.ts", "test/domain/**/*.test.ts"];

export default defineConfig({
  test: {
    // The database behind the tests starts on first use and once for all projects.
    globalSetup: ["test/support/node/global-setup.ts"],
    // The service logs each request; what a passing test logged nobody reads.
    silent: "passed-only",
    // A test waits for the database half of its time: one core would be left idle.
    maxWorkers: "100%",
    // Files keep apart by databases of their own; loading every module anew for each would take most of the time.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // To end what hangs, on a machine however busy.
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
