import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

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

/** Builds the directory of static files that wrangler.toml refers to. */
export async function buildAssets(): Promise<void> {
  await rm(DIRECTORY, { recursive: true, force: true });
  await mkdir(join(DIRECTORY, "assets"), { recursive: true });
  await cp(API_REFERENCE, join(DIRECTORY, "assets", "api-reference.js"));
  await cp(SEED_TEXTS, join(DIRECTORY, "seed", "texts.json"));
  await writeFile(join(DIRECTORY, "_headers"), HEADERS);
}
