import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize, relative, sep } from "node:path";
import { parseArgs } from "node:util";

/**
 * `node scripts/layers.ts [--imports] [layer ...]`: measures the structure inside the layers of src, or inside the
 * folders that you name. A part is a direct child of the layer, which is a folder or a single file. For each layer, the
 * script prints how many parts it has, how many imports lead from one part to another, and how many parts are on the
 * longest chain of imports. With `--imports`, it also prints each part with its height in that order and the parts
 * that it imports.
 *
 * It exits with 1 if parts import each other in a circle, because then some import runs up.
 */
const LAYERS = ["src/domain", "src/db", "src/actions", "src/routes"];

const root = join(import.meta.dirname, "..");
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { imports: { type: "boolean", default: false } },
});

for (const layer of positionals.length > 0 ? positionals : LAYERS) {
  const imports = await importsBetweenParts(join(root, layer));
  const { heights, circle } = measure(imports);
  const count = [...imports.values()].reduce((sum, targets) => sum + targets.size, 0);
  const longest = Math.max(-1, ...heights.values()) + 1;
  console.log(
    `${layer}: ${imports.size} parts, ${count} imports between them, longest chain ${longest}`,
  );
  if (values.imports) printParts(imports, heights);
  if (circle !== null) {
    console.error(`  These parts import each other in a circle: ${circle.join(" -> ")}`);
    process.exitCode = 1;
  }
}

/** The other parts that each part imports. */
async function importsBetweenParts(layer: string): Promise<Map<string, Set<string>>> {
  const partOf = (path: string) => relative(layer, path).split(sep)[0] ?? "";
  const imports = new Map<string, Set<string>>();
  for (const path of await typeScriptFiles(layer)) {
    const part = partOf(path);
    const targets = imports.get(part) ?? new Set();
    imports.set(part, targets);
    const text = await readFile(path, "utf8");
    for (const [, specifier = ""] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      const target = normalize(join(dirname(path), specifier));
      const isInside = !relative(layer, target).startsWith("..");
      if (isInside && partOf(target) !== part) targets.add(partOf(target));
    }
  }
  return imports;
}

async function typeScriptFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** The height of each part: 0 if it imports no other part, otherwise one more than the highest part that it imports. */
function measure(imports: ReadonlyMap<string, ReadonlySet<string>>): {
  heights: Map<string, number>;
  circle: string[] | null;
} {
  const heights = new Map<string, number>();
  let circle: string[] | null = null;
  const visit = (part: string, path: readonly string[]): number => {
    const known = heights.get(part);
    if (known !== undefined) return known;
    if (path.includes(part)) {
      circle ??= [...path.slice(path.indexOf(part)), part];
      return 0;
    }
    const below = [...(imports.get(part) ?? [])].map((target) => visit(target, [...path, part]));
    const height = Math.max(-1, ...below) + 1;
    heights.set(part, height);
    return height;
  };
  for (const part of imports.keys()) visit(part, []);
  return { heights, circle };
}

function printParts(
  imports: ReadonlyMap<string, ReadonlySet<string>>,
  heights: ReadonlyMap<string, number>,
): void {
  const heightOf = (part: string) => heights.get(part) ?? 0;
  const highestFirst = [...imports].toSorted(
    ([one], [other]) => heightOf(other) - heightOf(one) || one.localeCompare(other),
  );
  for (const [part, targets] of highestFirst) {
    const names = targets.size === 0 ? "imports no other part" : [...targets].toSorted().join(", ");
    console.log(`  ${heightOf(part)} ${part}: ${names}`);
  }
}
