import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Catalog, Facts } from "./entries.ts";

/** The catalog that the migrations create on each version of PostgreSQL. `npm run catalog` writes it. */
export const SNAPSHOT_PATH = join(import.meta.dirname, "..", "..", "drizzle", "catalog.json");

/** Returns the catalog that this release creates on a version of PostgreSQL; null if it was not recorded. */
export async function readSnapshot(version: number): Promise<Catalog | null> {
  const { common, versions } = FILE.parse(JSON.parse(await readFile(SNAPSHOT_PATH, "utf8")));
  const own = versions[String(version)];
  return own === undefined ? null : new Map(Object.entries({ ...common, ...own }));
}

/** Returns the text of the file: what all versions share, then what differs. One line for each object. */
export function renderSnapshot(catalogs: ReadonlyMap<number, Catalog>): string {
  const all = [...catalogs.values()];
  const common = new Map(
    [...(all[0] ?? [])].filter(([key, facts]) =>
      all.every((catalog) => factsText(catalog.get(key)) === factsText(facts)),
    ),
  );
  const versions = [...catalogs].map(([version, catalog]) => {
    const own = new Map([...catalog].filter(([key]) => !common.has(key)));
    return `    ${JSON.stringify(String(version))}: ${renderObjects(own, "    ")}`;
  });
  return `{
  "common": ${renderObjects(common, "  ")},
  "versions": {
${versions.join(",\n")}
  }
}
`;
}

const OBJECTS = z.record(z.string(), z.record(z.string(), z.string()));
const FILE = z.object({ common: OBJECTS, versions: z.record(z.string(), OBJECTS) });

function renderObjects(catalog: Catalog, indent: string): string {
  const lines = [...catalog]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, facts]) => `${indent}  ${JSON.stringify(key)}: ${factsText(facts)}`);
  return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n${indent}}`;
}

/** The same text for the same facts, in whatever order they were read. */
function factsText(facts: Facts | undefined): string | undefined {
  if (facts === undefined) return undefined;
  const sorted = Object.entries(facts).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{ ${sorted.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(", ")} }`.replace(
    /^\{ {2}\}$/,
    "{}",
  );
}
