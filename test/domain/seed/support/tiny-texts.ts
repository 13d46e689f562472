import {
  NOTE_TOPICS,
  SEED_LANGUAGES,
  type SeedLanguage,
  type SeedTexts,
} from "../../../../src/domain/seed/texts.ts";

const ZONES: Record<SeedLanguage, string> = {
  en: "America/New_York",
  de: "Europe/Berlin",
  ja: "Asia/Tokyo",
  ar: "Africa/Cairo",
};

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);

function inEachLanguage<Value>(value: (language: SeedLanguage) => Value) {
  return Object.fromEntries(
    SEED_LANGUAGES.map((language) => [language, value(language)]),
  ) as Record<SeedLanguage, Value>;
}

const category = (code: string) => ({
  code,
  label: code,
  texts: inEachLanguage((language) => ({
    titles: numbered(`${language} ${code} {thing}`, 4),
    briefs: numbered(`${language} brief about {thing}`, 2),
    instructions: numbered(`${language} instructions`, 2),
    slots: { thing: numbered("thing", 5) },
  })),
});

/** The least that a plan needs: texts that name where they come from. */
export const TINY_TEXTS: SeedTexts = {
  languages: SEED_LANGUAGES.map((code) => ({
    code,
    name: code,
    direction: code === "ar" ? ("rtl" as const) : ("ltr" as const),
  })),
  people: SEED_LANGUAGES.flatMap((language) =>
    numbered(`Person ${language}`, 10).map((name) => ({ name, zone: ZONES[language], language })),
  ),
  models: numbered("Model", 5).map((model) => ({
    model,
    revisions: [`${model} a`, `${model} b`],
    provider: `Provider of ${model}`,
    agents: [`Agent of ${model}`, "Solver"],
  })),
  domains: ["coding", "law"].map((code) => ({
    code,
    label: code,
    categories: [category(`${code}.one`), category(`${code}.two`)],
  })),
  notes: Object.fromEntries(
    NOTE_TOPICS.map((topic) => [
      topic,
      inEachLanguage((language) => numbered(`${language} ${topic}`, 8)),
    ]),
  ) as SeedTexts["notes"],
  prompts: {
    system: inEachLanguage((language) => numbered(`${language} system`, 3)),
    user: inEachLanguage((language) => numbered(`${language} user`, 3)),
    assistant: inEachLanguage((language) => numbered(`${language} assistant`, 3)),
  },
  longTitles: inEachLanguage((language) => numbered(`${language} long title`, 2)),
};
