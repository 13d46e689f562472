import { describe, expect, test } from "vitest";
import { isSameSlotBy } from "../../../src/domain/evals/slot.ts";
import { SEED_LANGUAGES } from "../../../src/domain/seed/texts.ts";
import { SEED_DIFFICULTIES } from "../../../src/domain/seed/words.ts";
import { givenPlan } from "./support/given-plan.ts";
import { Replay } from "./support/replay.ts";
import { TEXTS } from "./support/texts-asset.ts";

/** The limits of the API, in UTF-16 code units. */
const TITLE_MAX = 300;
const TEXT_MAX = 20_000;

describe("a plan with the words of the service", () => {
  const plan = givenPlan({ seed: 12, texts: TEXTS });
  const texts = JSON.stringify(plan.actions);

  test("is lawful from its first action to its last", () => {
    const replay = new Replay(plan);
    for (const action of plan.actions) replay.act(action);
    expect(replay.tasks.size).toBe(plan.outcomes.length);
    const nightly = replay.evals.all().filter(({ name }) => name === "nightly");
    expect(nightly.length).toBeGreaterThan(0);
    expect(nightly.every(({ slotBy }) => isSameSlotBy(slotBy, ["model", "agent"]))).toBe(true);
  });

  test("leaves no slot of a text open", () => {
    expect(texts.match(/\{[A-Za-z]+\}/g)).toBeNull();
  });

  test("has titles in every language, and codes of the taxonomy with their difficulty", () => {
    const categories = TEXTS.domains.flatMap((domain) => domain.categories.map(({ code }) => code));
    const codes = new Set(
      categories.flatMap((code) => SEED_DIFFICULTIES.map((difficulty) => `${code}.${difficulty}`)),
    );
    const languages = new Set<unknown>();
    for (const { act } of plan.actions) {
      if (act.type !== "create") continue;
      expect(codes).toContain(act.fields.taxonomyCode);
      expect(act.fields.title.length).toBeLessThanOrEqual(TITLE_MAX);
      languages.add(act.content.metadata?.["language"]);
    }
    expect(languages).toEqual(new Set(SEED_LANGUAGES));
  });

  test("has notes and reasons that are short enough for the service and never blank", () => {
    for (const { act } of plan.actions) {
      const said = [
        "reason" in act ? act.reason : undefined,
        act.type === "note" ? act.text : undefined,
        act.type === "review" ? act.notes : undefined,
        act.type === "prompt" ? act.content : undefined,
      ];
      for (const text of said) {
        if (text === undefined) continue;
        expect(text).toMatch(/\S/);
        expect(text.length).toBeLessThanOrEqual(TEXT_MAX);
      }
    }
  });
});
