import type { TaskContent } from "../lifecycle/decision.ts";
import type { Chance } from "./random.ts";
import type { NoteTopic, SeedLanguage, SeedTexts } from "./texts.ts";

/** What a task is about, in one language. */
export interface Subject {
  language: SeedLanguage;
  /** The codes of the domain and the category. */
  domain: string;
  category: string;
  difficulty: SeedDifficulty;
  title: string;
  content: TaskContent;
  /** What its slots are filled with, so that a duplicate can say the same in other words. */
  filled: Map<string, string>;
}

/** The last part of a task's taxonomy code, after its category. */
export const SEED_DIFFICULTIES = ["easy", "medium", "hard"] as const;
type SeedDifficulty = (typeof SEED_DIFFICULTIES)[number];

/** One title in so many is long, as titles of real teams are now and then. */
const LONG_TITLE_RATE = 0.02;

/** Most people write in their own language, and the others in English. */
const OWN_LANGUAGE_RATE = 0.7;

/** Returns what a new task is about. A duplicate is about the same as its original. */
export function subjectOf(
  texts: SeedTexts,
  { language: own, original }: { language: SeedLanguage; original: Subject | undefined },
  chance: Chance,
): Subject {
  const language = original?.language ?? (chance.isHit(OWN_LANGUAGE_RATE) ? own : "en");
  const isOfOriginal = ({ code }: { code: string }) => code === original?.category;
  const domain =
    texts.domains.find(({ categories }) => categories.some(isOfOriginal)) ??
    chance.pick(texts.domains);
  const category = domain.categories.find(isOfOriginal) ?? chance.pick(domain.categories);
  const { titles, slots } = category.texts[language];
  const filled = new Map(original?.filled);
  const title = chance.isHit(LONG_TITLE_RATE)
    ? chance.pick(texts.longTitles[language])
    : filledIn(chance.pick(titles), { slots, filled }, chance);
  const about = {
    language,
    domain: domain.code,
    category: category.code,
    difficulty: original?.difficulty ?? chance.pick(SEED_DIFFICULTIES),
    title,
    filled,
  };
  return { ...about, content: contentOn(texts, about, chance) };
}

/** Returns the content of one more version of a task. */
export function contentOn(
  texts: SeedTexts,
  { language, domain, category: code, difficulty, filled }: Omit<Subject, "content">,
  chance: Chance,
): TaskContent {
  const categories = texts.domains.flatMap((one) => one.categories);
  const category = categories.find((one) => one.code === code);
  if (category === undefined) throw new Error("The category of a subject is one of the texts");
  const { briefs, instructions, slots } = category.texts[language];
  return {
    brief: filledIn(chance.pick(briefs), { slots, filled }, chance),
    instructions: filledIn(chance.pick(instructions), { slots, filled }, chance),
    metadata: { language, domain, difficulty },
  };
}

/** Fills the slots of a template. A slot has the same value wherever it occurs in a task. */
function filledIn(
  template: string,
  {
    slots,
    filled,
  }: { slots: Readonly<Record<string, readonly string[]>>; filled: Map<string, string> },
  chance: Chance,
): string {
  return template.replaceAll(/\{([A-Za-z]+)\}/g, (whole, name: string) => {
    const known = filled.get(name);
    if (known !== undefined) return known;
    const value = chance.pick(slots[name] ?? [whole]);
    filled.set(name, value);
    return value;
  });
}

/** Returns something that people write about a topic. */
export function noteOn(
  texts: SeedTexts,
  { topic, language }: { topic: NoteTopic; language: SeedLanguage },
  chance: Chance,
): string {
  return chance.pick(texts.notes[topic][language]);
}
