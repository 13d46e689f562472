import type { TaskContent } from "../lifecycle/decision.ts";
import type { Chance } from "./random.ts";
import type { NoteTopic, SeedLanguage, SeedTexts } from "./texts.ts";

/** What a task is about, in one language. */
export interface Subject {
  language: SeedLanguage;
  domain: string;
  taxonomyCode: string;
  title: string;
  content: TaskContent;
  /** What its slots are filled with, so that a duplicate can say the same in other words. */
  filled: Map<string, string>;
}

const DIFFICULTIES = ["easy", "medium", "hard"] as const;

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
  const isOfOriginal = ({ code }: { code: string }) => code === original?.taxonomyCode;
  const domain =
    texts.domains.find(({ categories }) => categories.some(isOfOriginal)) ??
    chance.pick(texts.domains);
  const category = domain.categories.find(isOfOriginal) ?? chance.pick(domain.categories);
  const { titles, briefs, instructions, slots } = category.texts[language];
  const filled = new Map(original?.filled);
  const fill = (template: string) => filledIn(template, { slots, filled }, chance);
  const isLong = chance.isHit(LONG_TITLE_RATE);
  const title = isLong ? chance.pick(texts.longTitles[language]) : fill(chance.pick(titles));
  const content = {
    brief: fill(chance.pick(briefs)),
    instructions: fill(chance.pick(instructions)),
    metadata: { language, domain: domain.code, difficulty: chance.pick(DIFFICULTIES) },
  };
  const { code: taxonomyCode } = category;
  return { language, domain: domain.code, taxonomyCode, title, content, filled };
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
