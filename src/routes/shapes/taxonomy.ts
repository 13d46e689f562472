import * as z from "zod";
import type { ListedEntry } from "../../db/taxonomy/list-taxonomy.ts";
import { TAXONOMY_LEVELS } from "../../domain/taxonomy.ts";
import { timestamp, titleText } from "../http/schemas.ts";

export const taxonomyLevel = z.enum(TAXONOMY_LEVELS).openapi("TaxonomyLevel");
export const taxonomyLabel = titleText(200).openapi({ example: "Arithmetic" });
export const taxonomyPosition = z.int().min(0).max(99_999).openapi({
  description:
    "The place among the entries of the same parent, from 0. Equal places are ordered by code.",
});

/** An entry in responses. */
export const taxonomyEntry = z
  .strictObject({
    code: z.string(),
    label: z.string(),
    level: taxonomyLevel,
    parentCode: z.string().nullable(),
    position: z.int(),
    archived: z.boolean().openapi({
      description: "Whether the entry or one above it is archived.",
    }),
    archivedAt: timestamp
      .nullable()
      .openapi({ description: "When the entry itself was archived." }),
    tasks: z.int().nullable().openapi({
      description:
        "The number of tasks with this code that are not archived. Null unless `counts` is `true`.",
    }),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("TaxonomyEntry");

const category = taxonomyEntry
  .extend({ children: z.array(taxonomyEntry) })
  .openapi("TaxonomyCategory");

/** A domain with everything below it, in responses. */
export const domainTree = taxonomyEntry
  .extend({ children: z.array(category) })
  .openapi("TaxonomyDomain");

type Entry = ListedEntry["entry"];
interface Tree {
  path: string[];
  domain: Entry & { children: (Entry & { children: Entry[] })[] };
}

/** Returns the trees of entries in the order of the tree, in which every entry follows its parent. */
export function nested(listed: readonly ListedEntry[]): Tree[] {
  const trees: Tree[] = [];
  for (const { entry, path } of listed) {
    const categories = trees.at(-1)?.domain.children;
    if (entry.level === "domain") trees.push({ path, domain: { ...entry, children: [] } });
    else if (entry.level === "category") categories?.push({ ...entry, children: [] });
    else categories?.at(-1)?.children.push(entry);
  }
  return trees;
}
