import { randomUUID } from "node:crypto";
import { cp, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

const DIRECTORY = join(import.meta.dirname, "..", "dist", "assets");

/** The script of the API reference. A copy from a CDN would need the network and violate the CSP. */
const API_REFERENCE = new URL(
  "browser/standalone.js",
  import.meta.resolve("@scalar/api-reference"),
);

/** The words of simulated teams. They are too large for the Worker's bundle. */
const SEED_TEXTS = join(import.meta.dirname, "..", "assets", "seed", "texts.json");

/** `no-cache` makes clients revalidate, because a file keeps its name when its content changes. */
const HEADERS = ["/assets/*", "/seed/texts.json"]
  .map(
    (path) => `${path}
  Cache-Control: public, no-cache
  X-Content-Type-Options: nosniff
  Cross-Origin-Resource-Policy: same-origin
`,
  )
  .join("\n");

/**
 * Builds the directory of static files that wrangler.toml refers to. A Worker may be serving them, so every file is replaced
 * as a whole, and none is missing meanwhile.
 */
export async function buildAssets(): Promise<void> {
  const files: Record<string, (path: string) => Promise<void>> = {
    [join("assets", "api-reference.js")]: (path) => cp(API_REFERENCE, path),
    [join("seed", "texts.json")]: (path) => cp(SEED_TEXTS, path),
    _headers: (path) => writeFile(path, HEADERS),
  };
  for (const [name, write] of Object.entries(files)) {
    const path = join(DIRECTORY, name);
    await mkdir(dirname(path), { recursive: true });
    const draft = join(DIRECTORY, "..", `draft-${randomUUID()}`);
    await write(draft);
    await rename(draft, path);
  }
  for (const entry of await readdir(DIRECTORY, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // What an earlier release has built.
    if (entry.isFile() && files[relative(DIRECTORY, path)] === undefined)
      await rm(path, { force: true });
  }
}
