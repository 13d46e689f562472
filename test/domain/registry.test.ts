import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { registry } from "../../src/domain/registry.ts";
import { REGISTRY_VERSION } from "../../src/domain/registry-version.ts";

/**
 * The digest of the tables of each version. A table that changes needs a new version and a new line here. A table that
 * existed before and is only added to the registry changes the digest of the present version.
 */
const TABLES_OF_VERSION: Record<number, string> = {
  1: "0694dcccc8e8de3c15d1d27e46189809915b9c94a0fc9bb7cfb3f9a3011e91ee",
};

test("the tables are those of the registry version", () => {
  const digest = createHash("sha256").update(JSON.stringify(registry())).digest("hex");
  expect(digest).toBe(TABLES_OF_VERSION[REGISTRY_VERSION]);
});

test("the registry is plain data that survives JSON", () => {
  expect(JSON.parse(JSON.stringify(registry()))).toEqual(registry());
});
