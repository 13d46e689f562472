import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const DIRECTORY = join(import.meta.dirname, "..", "dist", "assets");

/** The API reference reads from our own host: from a CDN it would be blank offline and break the CSP. */
const READER = new URL("browser/standalone.js", import.meta.resolve("@scalar/api-reference"));

/** The same name holds another file after an upgrade, so nobody may keep it unasked. */
const HEADERS = `/assets/*
  Cache-Control: public, no-cache
  X-Content-Type-Options: nosniff
  Cross-Origin-Resource-Policy: same-origin
`;

/** Builds the directory of static files that wrangler.toml names. */
export async function buildAssets(): Promise<void> {
  await rm(DIRECTORY, { recursive: true, force: true });
  await mkdir(join(DIRECTORY, "assets"), { recursive: true });
  await cp(READER, join(DIRECTORY, "assets", "api-reference.js"));
  await writeFile(join(DIRECTORY, "_headers"), HEADERS);
}
