import {
  NOTE_TOPICS,
  SEED_LANGUAGES,
  type SeedLanguage,
} from "../../../../src/domain/seed/texts.ts";
import { TEXTS } from "./texts-asset.ts";

export const SLOT = /\{([A-Za-z]+)\}/g;

/** The texts of each category in each language, with a name for messages. */
export const CATEGORY_TEXTS = TEXTS.domains.flatMap(({ categories }) =>
  categories.flatMap(({ code, texts }) =>
    SEED_LANGUAGES.map((language) => ({
      name: `${code} ${language}`,
      language,
      ...texts[language],
    })),
  ),
);

/** A list of alternatives. The planner picks one of them. */
interface TextList {
  name: string;
  kind: "title" | "brief" | "instruction" | "slot" | "note" | "prompt" | "long title";
  language: SeedLanguage;
  texts: readonly string[];
}

/** Every list of texts in the asset. */
export const TEXT_LISTS: readonly TextList[] = [
  ...CATEGORY_TEXTS.flatMap(({ name, language, titles, briefs, instructions, slots }) => [
    { name, kind: "title" as const, language, texts: titles },
    { name, kind: "brief" as const, language, texts: briefs },
    { name, kind: "instruction" as const, language, texts: instructions },
    ...Object.entries(slots).map(([slot, texts]) => ({
      name: `${name} ${slot}`,
      kind: "slot" as const,
      language,
      texts,
    })),
  ]),
  ...SEED_LANGUAGES.flatMap((language) => [
    ...NOTE_TOPICS.map((topic) => ({
      name: `${topic} ${language}`,
      kind: "note" as const,
      language,
      texts: TEXTS.notes[topic][language],
    })),
    ...Object.entries(TEXTS.prompts).map(([role, prompts]) => ({
      name: `${role} ${language}`,
      kind: "prompt" as const,
      language,
      texts: prompts[language],
    })),
    { name: language, kind: "long title" as const, language, texts: TEXTS.longTitles[language] },
  ]),
];
