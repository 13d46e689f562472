import type { TaxonomyEntry } from "../taxonomy.ts";
import type { SeedTexts } from "./texts.ts";

/** The difficulties of each category, from the easiest on. */
const DIFFICULTIES = [
  { suffix: "easy", label: "Easy" },
  { suffix: "medium", label: "Medium" },
  { suffix: "hard", label: "Hard" },
] as const;

/** Returns the taxonomy that a demo starts with, in the order of its tree: every entry follows its parent. */
export function starterTaxonomy({ domains }: Pick<SeedTexts, "domains">): TaxonomyEntry[] {
  return domains.flatMap(({ code, label, categories }, position): TaxonomyEntry[] => [
    { code, label, level: "domain", parentCode: null, position },
    ...categories.flatMap((category, place): TaxonomyEntry[] => [
      {
        code: category.code,
        label: category.label,
        level: "category",
        parentCode: code,
        position: place,
      },
      ...DIFFICULTIES.map(({ suffix, label: difficulty }, index): TaxonomyEntry => ({
        code: `${category.code}.${suffix}`,
        label: difficulty,
        level: "difficulty",
        parentCode: category.code,
        position: index,
      })),
    ]),
  ]);
}
