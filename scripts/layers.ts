import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize, relative, sep } from "node:path";
import { parseArgs } from "node:util";

/**
 * `node scripts/layers.ts [folder ...]`: the structure inside a layer, which is `src/db` and `src/actions` by default.
 * A room is a direct child of the folder, a file or a folder. The script counts the rooms, the imports between
 * different rooms, and the rooms on the longest chain of imports. It fails when rooms import each other in a circle,
 * because then at least one import runs up.
 */
const root = join(import.meta.dirname, "..");
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { arrows: { type: "boolean", default: false } },
});
const layers = positionals.length > 0 ? positionals : ["src/db", "src/actions"];

let isClean = true;
for (const layer of layers) {
  const arrows = await importsBetweenRooms(join(root, layer));
  const { floors, circle } = floorsOf(arrows);
  const rooms = arrows.size;
  const imports = [...arrows.values()].reduce((sum, targets) => sum + targets.size, 0);
  const height = Math.max(0, ...floors.values()) + 1;
  console.log(`${layer}: ${rooms} rooms, ${imports} arrows, ${height} floors`);
  if (values.arrows) printFloors(arrows, floors);
  if (circle !== null) {
    isClean = false;
    console.error(`  Rooms import each other in a circle: ${circle.join(" -> ")}`);
  }
}
if (!isClean) process.exitCode = 1;

/** The rooms that each room imports. */
async function importsBetweenRooms(layer: string): Promise<Map<string, Set<string>>> {
  const roomOf = (path: string) => relative(layer, path).split(sep)[0] ?? "";
  const arrows = new Map<string, Set<string>>();
  for (const path of await typeScriptFiles(layer)) {
    const room = roomOf(path);
    const targets = arrows.get(room) ?? new Set();
    arrows.set(room, targets);
    const text = await readFile(path, "utf8");
    for (const [, specifier = ""] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      const target = normalize(join(dirname(path), specifier));
      const isInside = !relative(layer, target).startsWith("..");
      if (isInside && roomOf(target) !== room) targets.add(roomOf(target));
    }
  }
  return arrows;
}

async function typeScriptFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** The floor of each room: 0 when it imports no other room, else one above the highest room that it imports. */
function floorsOf(arrows: ReadonlyMap<string, ReadonlySet<string>>) {
  const floors = new Map<string, number>();
  let circle: string[] | null = null;
  const visit = (room: string, path: readonly string[]): number => {
    const known = floors.get(room);
    if (known !== undefined) return known;
    if (path.includes(room)) {
      circle ??= [...path.slice(path.indexOf(room)), room];
      return 0;
    }
    const below = [...(arrows.get(room) ?? [])].map((target) => visit(target, [...path, room]));
    const floor = Math.max(-1, ...below) + 1;
    floors.set(room, floor);
    return floor;
  };
  for (const room of arrows.keys()) visit(room, []);
  return { floors, circle: circle as string[] | null };
}

function printFloors(
  arrows: ReadonlyMap<string, ReadonlySet<string>>,
  floors: ReadonlyMap<string, number>,
): void {
  const order = [...arrows].toSorted(
    ([one], [other]) =>
      (floors.get(other) ?? 0) - (floors.get(one) ?? 0) || one.localeCompare(other),
  );
  for (const [room, targets] of order) {
    console.log(`  ${floors.get(room) ?? 0} ${room} -> ${[...targets].toSorted().join(", ")}`);
  }
}
