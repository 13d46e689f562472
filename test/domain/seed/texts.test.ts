import { statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { SEED_LANGUAGES, type SeedLanguage } from "../../../src/domain/seed/texts.ts";
import { CATEGORY_TEXTS, SLOT, TEXT_LISTS } from "./support/text-lists.ts";
import { TEXTS, TEXTS_FILE } from "./support/texts-asset.ts";

const ZONES: Record<SeedLanguage, string> = {
  en: "America/New_York",
  de: "Europe/Berlin",
  ja: "Asia/Tokyo",
  ar: "Africa/Cairo",
};

/** How many alternatives a list has at least, and the lengths of its texts in UTF-16 code units. */
const LIMITS = {
  title: { count: 4, min: 8, max: 90 },
  brief: { count: 2, min: 40, max: 420 },
  instruction: { count: 2, min: 12, max: 250 },
  slot: { count: 5, min: 2, max: 50 },
  note: { count: 8, min: 6, max: 120 },
  prompt: { count: 3, min: 20, max: 300 },
  "long title": { count: 2, min: 150, max: 200 },
};
const TEMPLATES = new Set(["title", "brief", "instruction"]);

/** What a text of a language needs, and what it cannot contain. */
const SCRIPTS: Record<SeedLanguage, { needs: RegExp; excludes: RegExp }> = {
  en: { needs: /[a-z]/, excludes: /[^\P{L}A-Za-z]|[„“]/u },
  de: { needs: /[a-zäöü]/, excludes: /[^\P{L}A-Za-zÄÖÜäöüß]|["”]/u },
  ja: {
    needs: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u,
    excludes: /[^\P{L}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ーA-Z]|[,;?.]/u,
  },
  ar: { needs: /\p{Script=Arabic}/u, excludes: /[^\P{L}\p{Script=Arabic}A-Z]|[,;?ـ]/u },
};
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
const SENTENCE_END = /[。！？]|[.!?؟](?=["”“»)]?(?:\s|$))/g;
/** Marks of direction, other control and format characters, and what Unicode does not assign. */
const INVISIBLE = /[\p{C}\u2028\u2029]/u;
const UNTIDY_SPACE = /^\s|\s$|\s\s|[^\S ]/;

const lengthOf = ({ length }: string): number => length;

const slotsOf = (text: string): string[] => [...text.matchAll(SLOT)].map(([, name = ""]) => name);

const repeated = (texts: readonly string[]): string[] =>
  texts.filter((text, index) => texts.indexOf(text) !== index);

/** The length of a title with the shortest or the longest value in each slot. */
function filledLength(
  title: string,
  slots: Readonly<Record<string, readonly string[]>>,
  extreme: (...lengths: number[]) => number,
): number {
  const values = slotsOf(title).map((name) => extreme(...(slots[name] ?? []).map(lengthOf)));
  return values.reduce((sum, length) => sum + length, lengthOf(title.replaceAll(SLOT, "")));
}

describe("the words of simulated teams", () => {
  test("cover ten domains of four categories, whose codes begin with their domain's", () => {
    const categories = TEXTS.domains.flatMap((domain) => domain.categories);
    expect(TEXTS.domains.map((domain) => domain.categories.length)).toEqual(Array(10).fill(4));
    for (const domain of TEXTS.domains) {
      for (const { code } of domain.categories) {
        expect(code).toMatch(new RegExp(`^${domain.code}\\.[a-z_]+$`));
      }
    }
    expect(repeated(categories.map(({ code }) => code))).toEqual([]);
    expect(repeated(categories.map(({ label }) => label))).toEqual([]);
  });

  test("name forty people, ten in each language and in its time zone, and five models", () => {
    const { people, languages, models } = TEXTS;
    for (const code of SEED_LANGUAGES) {
      const speakers = people.filter(({ language }) => language === code);
      expect(speakers.map(({ zone }) => zone)).toEqual(Array(10).fill(ZONES[code]));
    }
    expect(repeated(people.map(({ name }) => name))).toEqual([]);
    expect(repeated(models.map(({ model }) => model))).toEqual([]);
    expect(models).toHaveLength(5);
    expect(languages.map(({ code, direction }) => `${code} ${direction}`)).toEqual([
      "en ltr",
      "de ltr",
      "ja ltr",
      "ar rtl",
    ]);
  });

  test("offer enough alternatives, of a length that suits their kind", () => {
    const unfit = TEXT_LISTS.flatMap(({ name, kind, texts }) => {
      const { count, min, max } = LIMITS[kind];
      const odd = texts.filter((text) => lengthOf(text) < min || lengthOf(text) > max);
      return texts.length < count ? [`${name}: only ${texts.length} of kind ${kind}`, ...odd] : odd;
    });
    expect(unfit).toEqual([]);
  });

  test("define every slot that they use, use every slot that they define, and vary every title", () => {
    for (const { name, titles, briefs, instructions, slots } of CATEGORY_TEXTS) {
      const used = new Set([...titles, ...briefs, ...instructions].flatMap(slotsOf));
      expect([...used].toSorted(), name).toEqual(Object.keys(slots).toSorted());
      expect(titles.filter((title) => slotsOf(title).length === 0)).toEqual([]);
    }
  });

  test("have slots only in titles, briefs and instructions, and no other braces", () => {
    const withBraces = TEXT_LISTS.flatMap(({ kind, texts }) =>
      texts.filter((text) => /[{}]/.test(TEMPLATES.has(kind) ? text.replaceAll(SLOT, "") : text)),
    );
    expect(withBraces).toEqual([]);
  });

  test("make titles of 20 to 90 characters, whatever fills their slots", () => {
    const unfit = CATEGORY_TEXTS.flatMap(({ titles, slots }) =>
      titles.filter(
        (title) =>
          filledLength(title, slots, Math.min) < 20 || filledLength(title, slots, Math.max) > 90,
      ),
    );
    expect(unfit).toEqual([]);
  });

  test("make briefs of two to four sentences", () => {
    const sentencesOf = (text: string) => text.match(SENTENCE_END)?.length ?? 0;
    const briefs = CATEGORY_TEXTS.flatMap((texts) => texts.briefs);
    expect(briefs.filter((brief) => sentencesOf(brief) < 2 || sentencesOf(brief) > 4)).toEqual([]);
  });

  test("put the right English article before each value of a slot", () => {
    const wrong = CATEGORY_TEXTS.filter(({ language }) => language === "en").flatMap(
      ({ titles, briefs, instructions, slots }) =>
        [...titles, ...briefs, ...instructions]
          .flatMap((text) => [...text.matchAll(/\b(an?) \{([A-Za-z]+)\}/gi)])
          .flatMap(([, article = "", slot = ""]) =>
            (slots[slot] ?? []).map((value) => `${article.toLowerCase()} ${value}`),
          )
          .filter((phrase) => /^a [aeiou](?!ni)|^an ([^aeiou]|uni)/.test(phrase)),
    );
    expect(wrong).toEqual([]);
  });

  test("never say the same twice in a language, except for what fills slots", () => {
    for (const language of SEED_LANGUAGES) {
      const own = TEXT_LISTS.filter((list) => list.language === language);
      const prose = own.filter(({ kind }) => kind !== "slot").flatMap(({ texts }) => texts);
      expect(repeated(prose)).toEqual([]);
      expect(own.flatMap(({ texts }) => repeated(texts))).toEqual([]);
    }
  });

  test("are written in the script of their language", () => {
    const foreign = TEXT_LISTS.flatMap(({ kind, language, texts }) =>
      texts.filter((text) => {
        const words = text.replaceAll(SLOT, "");
        const { needs, excludes } = SCRIPTS[language];
        if (!needs.test(words) || excludes.test(words)) return true;
        return language === "ja" && kind !== "slot" && !KANA.test(words);
      }),
    );
    expect(foreign).toEqual([]);
  });

  test("are in Unicode's composed form, without invisible characters or untidy spaces", () => {
    const all: string[] = [];
    JSON.parse(JSON.stringify(TEXTS), (key, value: unknown) => {
      all.push(key, ...(typeof value === "string" ? [value] : []));
      return value;
    });
    const odd = (text: string) =>
      text !== text.normalize("NFC") || INVISIBLE.test(text) || UNTIDY_SPACE.test(text);
    expect(all.filter(odd)).toEqual([]);
  });

  test("fit in 450 kB", () => {
    expect(statSync(TEXTS_FILE).size).toBeLessThan(450_000);
  });
});
