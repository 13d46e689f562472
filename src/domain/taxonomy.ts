/** The levels of a taxonomy, from the widest to the narrowest. An entry's parent is one level above it. */
export const TAXONOMY_LEVELS = ["domain", "category", "difficulty"] as const;
export type TaxonomyLevel = (typeof TAXONOMY_LEVELS)[number];

/** The level of an entry's parent. Null for a domain, which has none. */
export const PARENT_LEVEL = {
  domain: null,
  category: "domain",
  difficulty: "category",
} as const satisfies Record<TaxonomyLevel, TaxonomyLevel | null>;

/** An entry of a taxonomy, as an administrator sets it. */
export interface TaxonomyEntry {
  code: string;
  label: string;
  level: TaxonomyLevel;
  /** Null for a domain. */
  parentCode: string | null;
  /** The entry's place among those of its parent; equal places are ordered by code. */
  position: number;
}

/** The maximum number of entries of a tenant's taxonomy, archived ones included. */
export const TAXONOMY_MAX = 5000;
