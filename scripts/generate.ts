import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { GENERATORS } from "./generate/index.ts";

/**
 * `npm run generate` writes the files that are generated from code. With `--check`, it writes nothing and fails if a
 * file is stale.
 */
const isCheck = process.argv.includes("--check");
const project = join(import.meta.dirname, "..");

const stale: string[] = [];
for (const { path, generate } of GENERATORS) {
  const wanted = generate();
  const target = join(project, path);
  const found = await readFile(target, "utf8").catch(() => null);
  if (found === wanted) continue;
  stale.push(path);
  if (isCheck) continue;
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, wanted);
  console.log(`wrote ${path}`);
}
if (isCheck && stale.length > 0) {
  console.error(`Stale: ${stale.join(", ")}. Run: npm run generate`);
  process.exit(1);
}
