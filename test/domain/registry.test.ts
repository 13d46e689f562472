import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { registry } from "../../src/domain/registry.ts";
import { REGISTRY_VERSION } from "../../src/domain/registry-version.ts";

/**
 * A table that changed needs a new version, and its digest here beside the old ones. One that is told besides, and
 * held before, changes the digest alone.
 */
const TABLES_OF_VERSION: Record<number, string> = {
  1: "0694dcccc8e8de3c15d1d27e46189809915b9c94a0fc9bb7cfb3f9a3011e91ee",
};

test("the tables are those of their version", () => {
  const digest = createHash("sha256").update(JSON.stringify(registry())).digest("hex");
  expect(digest).toBe(TABLES_OF_VERSION[REGISTRY_VERSION]);
});

test("the registry has every table under its name", () => {
  expect(Object.keys(registry())).toEqual(
    expect.arrayContaining([
      "registryVersion",
      "stepKinds",
      "stepStatuses",
      "gateStates",
      "stepTransitions",
      "gateTransitions",
      "gateOnStatus",
      "unifiedStatuses",
      "resolver",
      "bulkTargets",
      "bulkAllowedTargets",
      "bulkStepStatus",
      "terminalUnified",
      "workerTypes",
      "statusRelevantWorkerTypes",
      "pipelines",
    ]),
  );
});

test("the registry is data: it survives JSON as it is", () => {
  expect(JSON.parse(JSON.stringify(registry()))).toEqual(registry());
});
