import { describe, expect, test } from "vitest";
import { STEP_KINDS } from "../../../src/domain/lifecycle/statuses.ts";
import { canonicalStage, SEED_STAGES } from "../../../src/domain/seed/stages.ts";

describe("the registry of stages", () => {
  test("has each stage once, in the order of the stages", () => {
    expect(SEED_STAGES.map(({ kind }) => kind)).toEqual(STEP_KINDS);
  });

  test("has aliases that are unique and equal to no stage, and each means its stage", () => {
    const aliases = SEED_STAGES.flatMap((stage) => stage.aliases);
    expect(new Set([...aliases, ...STEP_KINDS]).size).toBe(aliases.length + STEP_KINDS.length);
    for (const { kind, aliases } of SEED_STAGES) {
      expect(aliases.length).toBeGreaterThan(0);
      expect([kind, ...aliases].map(canonicalStage)).toEqual([kind, ...aliases].map(() => kind));
    }
    expect(canonicalStage("Ingestion")).toBeNull();
    expect(canonicalStage("")).toBeNull();
  });

  test("has a prefix of its own, a ceiling, media types and a pace for each stage", () => {
    for (const { kind, prefix, bytesMax, contentTypes, pace } of SEED_STAGES) {
      expect(prefix).toBe(`demo/${kind}/`);
      expect(bytesMax).toBeGreaterThan(0);
      expect(contentTypes.length).toBeGreaterThan(0);
      expect(contentTypes.every((type) => /^[a-z]+\/[a-z.+-]+$/.test(type))).toBe(true);
      expect(pace.medianMinutes).toBeGreaterThan(0);
      expect(pace.sigma).toBeGreaterThan(0);
    }
  });
});
