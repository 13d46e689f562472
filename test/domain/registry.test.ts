import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { registry } from "../../src/domain/registry.ts";
import { REGISTRY_HISTORY } from "../../src/domain/registry-history/index.ts";
import { REGISTRY_VERSION } from "../../src/domain/registry-version.ts";

/**
 * The digest of the tables of each version. A table that changes needs a new version and a new line here. A table that
 * existed before and is only added to the registry changes the digest of the present version.
 */
const TABLES_OF_VERSION: Record<number, string> = {
  1: "0694dcccc8e8de3c15d1d27e46189809915b9c94a0fc9bb7cfb3f9a3011e91ee",
  2: "372b9937418c9f73ab518f9749a22601a3fa9764b1f0980bfb58ee512dc86e24",
};

const digestOf = (tables: unknown) =>
  createHash("sha256").update(JSON.stringify(tables)).digest("hex");

test("the tables are those of the registry version", () => {
  expect(digestOf(registry())).toBe(TABLES_OF_VERSION[REGISTRY_VERSION]);
});

test("the registry is plain data that survives JSON", () => {
  expect(JSON.parse(JSON.stringify(registry()))).toEqual(registry());
});

describe("the history of the registry", () => {
  test("has the tables of every version, from the first to the present one", () => {
    const versions = REGISTRY_HISTORY.map(({ registryVersion }) => registryVersion);
    expect(versions).toEqual(Array.from({ length: REGISTRY_VERSION }, (_, index) => index + 1));
    expect(REGISTRY_HISTORY.at(-1)).toEqual(registry());
  });

  test.for(REGISTRY_HISTORY)("keeps version $registryVersion as it was", (tables) => {
    expect(digestOf(tables)).toBe(TABLES_OF_VERSION[tables.registryVersion]);
  });
});
