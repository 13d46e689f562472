import * as z from "zod";

/** The languages of simulated teams. Arabic is written from right to left. */
export const SEED_LANGUAGES = ["en", "de", "ja", "ar"] as const;
export type SeedLanguage = (typeof SEED_LANGUAGES)[number];

/** What people write notes and reasons about. */
export const NOTE_TOPICS = [
  "approved",
  "changes_requested",
  "rejected",
  "duplicate",
  "withdrawn",
  "blocked",
  "released",
  "rework",
  "new_version",
  "comment",
  "waived",
  "bulk_mistake",
  "bulk_undo",
  "outage_retry",
  "check_failed",
  "trial_retracted",
] as const;
export type NoteTopic = (typeof NOTE_TOPICS)[number];

const text = z.string().regex(/\S/);

const listOf = (min: number) => z.array(text).min(min);

const inEachLanguage = <Value extends z.ZodType>(value: Value) =>
  z.record(z.enum(SEED_LANGUAGES), value);

const categoryTexts = z.strictObject({
  titles: listOf(4),
  briefs: listOf(2),
  instructions: listOf(2),
  /** The values that replace `{name}` in the texts above. */
  slots: z.record(z.string().regex(/^[A-Za-z]+$/), listOf(5)),
});

/** The words of simulated teams, as the asset `seed/texts.json` holds them. */
export const seedTexts = z.strictObject({
  languages: z
    .array(
      z.strictObject({
        code: z.enum(SEED_LANGUAGES),
        name: text,
        direction: z.enum(["ltr", "rtl"]),
      }),
    )
    .length(SEED_LANGUAGES.length),
  /** Invented people. */
  people: z
    .array(z.strictObject({ name: text, zone: text, language: z.enum(SEED_LANGUAGES) }))
    .min(14),
  /** Invented models. */
  models: z
    .array(z.strictObject({ model: text, revisions: listOf(1), provider: text, agents: listOf(1) }))
    .min(3),
  domains: z
    .array(
      z.strictObject({
        code: text,
        label: text,
        categories: z
          .array(z.strictObject({ code: text, label: text, texts: inEachLanguage(categoryTexts) }))
          .min(1),
      }),
    )
    .min(1),
  notes: z.record(z.enum(NOTE_TOPICS), inEachLanguage(listOf(1))),
  prompts: z.record(z.enum(["system", "user", "assistant"]), inEachLanguage(listOf(1))),
  /** Titles of 150 to 200 characters. */
  longTitles: inEachLanguage(listOf(1)),
});
export type SeedTexts = z.output<typeof seedTexts>;
