import { expect, test } from "vitest";
import { seedTexts } from "../../../src/domain/seed/texts.ts";
import { TINY_TEXTS } from "./support/tiny-texts.ts";

test("the format of the texts accepts a complete set, and misses any part that is taken away", () => {
  expect(seedTexts.safeParse(TINY_TEXTS).error).toBeUndefined();
  for (const member of Object.keys(TINY_TEXTS)) {
    expect(seedTexts.safeParse({ ...TINY_TEXTS, [member]: undefined }).success, member).toBe(false);
  }
  const { en: _, ...incomplete } = TINY_TEXTS.notes.comment;
  const notes = { ...TINY_TEXTS.notes, comment: incomplete };
  expect(seedTexts.safeParse({ ...TINY_TEXTS, notes }).success).toBe(false);
});
